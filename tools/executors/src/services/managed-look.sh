# shellcheck shell=sh
# PATH …: what is there. The wanted contents come on stdin, a line of base64 each: builtins and pipes, never an argument of a process.

for path; do
  IFS= read -r want
  if [ -h "$path" ]; then printf 'link\t%s\t%s\n' "$path" "$(readlink "$path")"
  elif [ -d "$path" ]; then printf 'folder\t%s\t%s\n' "$path" "$(stat -c '%04a	%U:%G' "$path")"
  elif [ -f "$path" ]; then
    same=differs
    if printf %s "$want" | base64 -d | cmp -s - "$path"; then same=same; fi
    printf 'file\t%s\t%s\t%s\n' "$path" "$(stat -c '%04a	%U:%G	%Y' "$path")" "$same"
  elif [ -e "$path" ]; then printf 'other\t%s\n' "$path"
  else printf 'none\t%s\n' "$path"; fi
done
