# shellcheck shell=sh
# With add_source: adds the backports of this Debian. Their mirror is the one that apt has the release itself from.

# shellcheck source=/dev/null
. /etc/os-release
uri=$(apt-get update --print-uris | sed -n "s,^'\(.*\)/dists/$VERSION_CODENAME/InRelease'.*,\1,p" | head -n 1)
[ -n "$uri" ] || { echo "apt has no source of $VERSION_CODENAME, whose mirror would have its backports" >&2; exit 100; }
printf 'Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
  "$uri" "$VERSION_CODENAME" | add_source /etc/apt/sources.list.d/backports.sources
