# shellcheck shell=sh
# URL WHAT: whether the host gets an answer there. Where WHAT is file, it has to be the file; else a 404 will do.

export LC_ALL=C
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
if [ -x /usr/lib/apt/apt-helper ]; then
  /usr/lib/apt/apt-helper -q -o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 \
    download-file "$1" "$work/got" >"$work/said" 2>&1 && exit 0
elif command -v curl >/dev/null; then
  curl -fsSL --max-time 20 -o "$work/got" "$1" >"$work/said" 2>&1 && exit 0
else
  echo 'there is neither apt nor curl' >&2; exit 69
fi
[ "$2" = file ] || ! grep -Eq '(^| )404( |$)' "$work/said" || exit 0
grep -v '^W:' "$work/said" >&2 || true
# Certificates come with what is installed before it is fetched.
! grep -qi 'no system certificates' "$work/said" || exit 69
exit 1
