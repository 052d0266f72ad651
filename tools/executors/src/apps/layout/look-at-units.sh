# shellcheck shell=sh
# CURRENT HEADER FOLDER CRONTAB UNIT …: what systemd knows, and which files there are of ours.

current=$1 header=$2 folder=$3 crontab=$4; shift 4
printf 'now %s\n' "$(date +%s)"
if [ -e "$current" ]; then echo 'live yes'; else echo 'live no'; fi
for file in "$folder"/app-*.service "$folder"/app-*.timer "$crontab"; do
  if [ -f "$file" ] && IFS= read -r first <"$file" && [ "$first" = "$header" ]; then printf 'ours %s\n' "$file"; fi
done
exec systemctl show --timestamp=unix --property=Id,ActiveState,UnitFileState,NeedDaemonReload,ExecMainStartTimestamp "$@"
