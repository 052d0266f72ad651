/*
 * The part of deploy_app.sh that is the same for all applications: building a release and migrating. A release's folder holds in
 * .mooring-release what is known of it, a file each: commit; before (the release that was live when it first became so); built; activating
 * (holds the release to go back to); good (holds since when); failed (holds why). Each is written in one step, so that a run that is killed
 * anywhere leaves a state that the next one knows.
 */

export const HELPERS = `
NL='
'
say() { printf '%s\\n' "$@"; }
die() { printf '%s\\n' "$@" >&2; exit 1; }

# note RELEASE NAME TEXT: writes down what is known of a release.
note() {
  printf '%s\\n' "$3" >"$RELEASES/$1/.mooring-release/$2.new"
  mv -f "$RELEASES/$1/.mooring-release/$2.new" "$RELEASES/$1/.mooring-release/$2"
}
forget() { rm -f "$RELEASES/$1/.mooring-release/$2"; }
noted() { [ -n "$1" ] && [ -e "$RELEASES/$1/.mooring-release/$2" ]; }
recall() { if noted "$1" "$2"; then cat "$RELEASES/$1/.mooring-release/$2"; fi; }

live() {
  target=$(readlink "$CURRENT" 2>/dev/null) || return 0
  say "\${target##*/}"
}
state() {
  if ! noted "$1" built; then say building
  elif noted "$1" failed; then say failed
  elif noted "$1" activating; then say activating
  elif noted "$1" good; then say good
  else say built; fi
}
named() { case $1 in '' | */* | .*) die "no release: $1" ;; esac; }
known() {
  named "$1"
  [ -d "$RELEASES/$1" ] || die "there is no release $1"
}
each_release() {
  for path in "$RELEASES"/*/; do
    path=\${path%/}
    [ ! -d "$path" ] || say "\${path##*/}"
  done
}

# within RELEASE FOLDER: into a folder of the release, its own programs first in PATH.
within() {
  cd "$1/$2"
  HOME=$RUN_HOME PATH=$PWD/.venv/bin:$PWD/node_modules/.bin:/usr/local/bin:/usr/bin:/bin
  export HOME PATH
}
# load FILE: the variables of an environment file. Its quoting is systemd's and the shell's.
load() {
  set -a
  # shellcheck source=/dev/null
  . "$1"
  set +a
}
`;

export const FETCH = `
git_() {
  GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ALLOW_PROTOCOL=ssh:https \\
    GIT_SSH_COMMAND="ssh -F /dev/null -i $KEY -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes -o ConnectTimeout=15 -o StrictHostKeyChecking=yes -o UserKnownHostsFile=$KNOWN_HOSTS -o GlobalKnownHostsFile=/dev/null" \\
    git "$@"
}

# The newest commit of the branch, as the git server says.
head_of_branch() {
  refs=$(git_ ls-remote "$REPOSITORY" "refs/heads/$BRANCH") || die "the git server did not tell the newest commit of $BRANCH"
  [ -n "$refs" ] || die "$REPOSITORY has no branch $BRANCH"
  printf '%.40s\\n' "$refs"
}

fetch() {
  # A lock of a git that was killed; another one cannot be at work here.
  if [ -d "$MIRROR" ]; then find "$MIRROR" -name '*.lock' -type f -delete; else git_ init -q --bare "$MIRROR"; fi
  git_ --git-dir="$MIRROR" fetch -q --no-tags "$REPOSITORY" "+refs/heads/$BRANCH:refs/heads/$BRANCH"
  if ! git_ --git-dir="$MIRROR" merge-base --is-ancestor "$1" "refs/heads/$BRANCH" 2>/dev/null; then
    die "commit $1 is not on branch $BRANCH"
  fi
}

# check_out COMMIT FOLDER
check_out() {
  if git_ --git-dir="$MIRROR" cat-file -e "$1:.mooring-release" 2>/dev/null; then die "commit $1 has .mooring-release, which cannot be deployed"; fi
  [ "$POINTERS" != refuse ] || refuse_submodules "$1"
  GIT_INDEX_FILE=$2/.mooring-release/index git_ --git-dir="$MIRROR" --work-tree="$2" read-tree "$1"
  (cd "$2" && GIT_INDEX_FILE=$2/.mooring-release/index git_ --git-dir="$MIRROR" --work-tree="$2" checkout-index --all --force)
  rm -f "$2/.mooring-release/index"
  [ "$POINTERS" != refuse ] || refuse_pointers "$1" "$2"
}
refuse_submodules() {
  submodules=$(git_ --git-dir="$MIRROR" ls-tree -r --full-tree "$1" | sed -n 's/^160000 commit [0-9a-f]*\t//p' | tr '\\n' ' ')
  [ -z "$submodules" ] || die "commit $1 has submodules, which are not fetched: $submodules" \\
    'bring them into the repository itself (git subtree add), or as packages that the build installs;' \\
    'or set "pointers": "keep" in app.json, which leaves their folders empty'
}
# refuse_pointers COMMIT FOLDER: git has all files now, and of some of them not the content.
refuse_pointers() {
  found=$(cd "$2" && pointers) || die "the files of commit $1 could not be looked at"
  [ -z "$found" ] || die "commit $1 has files whose content is not in git, or not to be read: they would be deployed as they are" \\
    "$(printf '%s\\n' "$found" | head -n 5)" "$(printf '%s\\n' "$found" | wc -l) in all; nothing was switched" \\
    'put the content into git (git lfs migrate export), let the build fetch it, or set "pointers": "keep" in app.json'
}
# Pointers of Git LFS (its specification: below 1024 bytes, the version first), of git-annex, and what git-crypt encrypted.
pointers() {
  find . -path ./.mooring-release -prune -o -type l -lname '*.git/annex/objects/*' -printf '%P (git-annex)\\n' \\
    -o -type f -size -1024c -exec sh -c '
for file; do
  first=
  IFS= read -r first <"$file" 2>/dev/null || true
  case $first in
    "version https://git-lfs.github.com/spec/"* | "version https://hawser.github.com/spec/"*) printf "%s (Git LFS)\\n" "\${file#./}" ;;
    /annex/objects/*) printf "%s (git-annex)\\n" "\${file#./}" ;;
  esac
done' sh {} + || return 1
  # Exit code 1 of grep: no such file. Not every grep has -P.
  encrypted=$(find . -path ./.mooring-release -prune -o -type f -size +9c \\
    -exec sh -c 'grep -lam1 -P "^\\x00GITCRYPT\\x00" "$@" || [ $? = 1 ]' sh {} +) || return 1
  [ -z "$encrypted" ] || printf '%s\\n' "$encrypted" | sed 's|^\\./||; s|$| (git-crypt)|'
}
`;

export const BUILD = `
# build RELEASE COMMIT
build() {
  named "$1"
  for one in $(each_release); do noted "$one" built || remove "$one"; done
  [ ! -e "$RELEASES/$1" ] || die "release $1 is there already"
  fetch "$2"
  mkdir -p "$RELEASES/$1/.mooring-release"
  note "$1" commit "$2"
  check_out "$2" "$RELEASES/$1"
  # In a shell of its own, so that its variables stay there.
  (
    if [ -e "$BUILD_ENV" ]; then load "$BUILD_ENV"; fi
    build_app "$RELEASES/$1"
  ) </dev/null
  for folder in $FOLDERS; do [ -d "$RELEASES/$1/$folder" ] || die "commit $2 has no folder $folder"; done
  sync -f "$RELEASES/$1"
  note "$1" built "$(date +%s)"
}

# migrate RELEASE
migrate() {
  known "$1"
  noted "$1" built || die "release $1 is not whole"
  # The shell would not stop at a failure inside a condition.
  set +e
  (
    set -e
    load "$ENV_FILE"
    migrate_app "$RELEASES/$1"
  ) </dev/null
  code=$?
  set -e
  [ "$code" != 0 ] || return 0
  noted "$1" good || note "$1" failed 'its migration failed'
  now=$(live)
  die "the migration of release $1 failed with exit code $code (its output is above)" \\
    "nothing was switched: \${now:-no release} is live; the release is kept in $RELEASES/$1"
}

# remove RELEASE
remove() {
  named "$1"
  [ "$1" != "$(live)" ] || die "release $1 is live"
  [ -d "$RELEASES/$1" ] || return 0
  # First what makes it a target.
  forget "$1" built
  chmod -R u+rwX "$RELEASES/$1"
  rm -rf "\${RELEASES:?}/$1"
}
`;
