# shellcheck shell=sh
# ARCHIVE FOLDER: unpacked beside and renamed, so that a folder that is there is whole.

umask 022; rm -rf "$2.new"; mkdir "$2.new"
tar -xf "$1" -C "$2.new" --strip-components=1 --no-same-owner
for program in node npm npx; do
  if ! [ -e "$2.new/bin/$program" ]; then echo "the archive has no bin/$program" >&2; exit 65; fi
done
"$2.new/bin/node" --version >&2
mv -T "$2.new" "$2"; rm -f "$1"
