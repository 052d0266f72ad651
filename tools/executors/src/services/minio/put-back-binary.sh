# shellcheck shell=sh
# BINARY NEW FORMER MARKER: puts the former binary back, where there was one.

rm -f "$2"
if [ -e "$3" ]; then
  rm -f "$4"; mv -f "$3" "$1"
  [ ! -e "$4.former" ] || mv -f "$4.former" "$4"
fi
