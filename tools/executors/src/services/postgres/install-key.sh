# shellcheck shell=sh
# URL FINGERPRINT FILE: gets the key of a repository, and refuses any but the pinned one.

umask 022; export LC_ALL=C.UTF-8
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; export GNUPGHOME="$work"
/usr/lib/apt/apt-helper -q -o Acquire::Retries=2 download-file "$1" "$work/key.asc"
head -n 1 "$work/key.asc" | grep -qx -e '-----BEGIN PGP PUBLIC KEY BLOCK-----' || { echo "$1 is no ASCII-armored public key" >&2; exit 65; }
listing=$(gpg --batch --show-keys --with-colons "$work/key.asc")
found=$(printf '%s\n' "$listing" | awk -F: '$1 == "pub" { primary = 1 } $1 == "fpr" && primary { print $10; primary = 0 }')
if [ "$found" != "$2" ]; then
  echo "the key at $1 has the fingerprint ${found:-of nothing}; pinned is $2. It was not installed." >&2; exit 65
fi
install -D -m 0644 "$work/key.asc" "$3"
