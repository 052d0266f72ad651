# shellcheck shell=sh
# A part of deploy_app.sh (script.ts), which sets its constants; this comment is not in it.
# Gets the commits from the git server, and the files of one.
#
# shellcheck disable=SC2154,SC2034 # what other parts set and use
# shellcheck disable=SC2164 # errexit is set

git_() {
  GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ALLOW_PROTOCOL=ssh:https \
    GIT_SSH_COMMAND="ssh -F /dev/null -i $KEY -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes -o ConnectTimeout=15 -o StrictHostKeyChecking=yes -o UserKnownHostsFile=$KNOWN_HOSTS -o GlobalKnownHostsFile=/dev/null" \
    git "$@"
}

# The newest commit of the branch, as the git server says.
head_of_branch() {
  refs=$(git_ ls-remote "$REPOSITORY" "refs/heads/$BRANCH") || die "the git server did not tell the newest commit of $BRANCH"
  [ -n "$refs" ] || die "$REPOSITORY has no branch $BRANCH"
  printf '%.40s\n' "$refs"
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
  submodules=$(git_ --git-dir="$MIRROR" ls-tree -r --full-tree "$1" | sed -n 's/^160000 commit [0-9a-f]*	//p' | tr '\n' ' ')
  [ -z "$submodules" ] || die "commit $1 has submodules, which are not fetched: $submodules" \
    'bring them into the repository itself (git subtree add), or as packages that the build installs;' \
    'or set "pointers": "keep" in app.json, which leaves their folders empty'
}
# refuse_pointers COMMIT FOLDER: git has all files now, and of some of them not the content.
refuse_pointers() {
  found=$(cd "$2" && pointers) || die "the files of commit $1 could not be looked at"
  [ -z "$found" ] || die "commit $1 has files whose content is not in git, or not to be read: they would be deployed as they are" \
    "$(printf '%s\n' "$found" | head -n 5)" "$(printf '%s\n' "$found" | wc -l) in all; nothing was switched" \
    'put the content into git (git lfs migrate export), let the build fetch it, or set "pointers": "keep" in app.json'
}
# Pointers of Git LFS (its specification: below 1024 bytes, the version first), of git-annex, and what git-crypt encrypted.
pointers() {
  find . -path ./.mooring-release -prune -o -type l -lname '*.git/annex/objects/*' -printf '%P (git-annex)\n' \
    -o -type f -size -1024c -exec sh -c '
for file; do
  first=
  IFS= read -r first <"$file" 2>/dev/null || true
  case $first in
    "version https://git-lfs.github.com/spec/"* | "version https://hawser.github.com/spec/"*) printf "%s (Git LFS)\n" "${file#./}" ;;
    /annex/objects/*) printf "%s (git-annex)\n" "${file#./}" ;;
  esac
done' sh {} + || return 1
  # Exit code 1 of grep: no such file. Not every grep has -P.
  encrypted=$(find . -path ./.mooring-release -prune -o -type f -size +9c \
    -exec sh -c 'grep -lam1 -P "^\x00GITCRYPT\x00" "$@" || [ $? = 1 ]' sh {} +) || return 1
  [ -z "$encrypted" ] || printf '%s\n' "$encrypted" | sed 's|^\./||; s|$| (git-crypt)|'
}
