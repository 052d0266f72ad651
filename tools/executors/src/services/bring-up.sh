# shellcheck shell=sh
# VERB UNIT SECONDS LOG PICK PROBE …: starts or restarts a unit and waits until the probe succeeds. LOG is a file that the product writes its
# reasons into, or nothing; PICK is a filter that picks them out.

verb=$1 unit=$2 seconds=$3 log=$4 pick=$5; shift 5
from=0; if [ -e "$log" ]; then from=$(wc -c <"$log"); fi
since=@$(date +%s.%6N)
journal() { journalctl -q --no-pager --since="$since" "$@"; }
logged() { if [ -e "$log" ]; then tail -c "+$((from + 1))" "$log"; fi; }
printed() { journal -o cat _SYSTEMD_UNIT="$name" ${run:+"_SYSTEMD_INVOCATION_ID=$run"}; }
picked() { sh -c "$pick" || true; }
why() {
  journalctl --sync || true
  name=$(systemctl show --property=Id --value "$unit")
  # The message that a start begins (systemd.journal-fields(7), sd-messages.h).
  run=$(journal -o export UNIT="$name" MESSAGE_ID=7d4958e842da4a758f6c1cdc7b36dcc5 | sed -n 's/^INVOCATION_ID=//p' | head -n 1)
  said=$(logged | picked)
  [ -n "$said" ] || said=$(printed | picked)
  [ -n "$said" ] || said=$(logged; printed)
  [ -z "$said" ] || printf '%s\n' "$said" | tail -n 5 | cut -c 1-500 >&2
  end=$(journal -o cat _PID=1 UNIT="$name" ${run:+"INVOCATION_ID=$run"} | grep -F "$name: " | grep -e ' exited, ' -e 'killed by' -e 'timed out' -e 'Failed with' | sed 's/^[^ ]*: //' | head -n 1)
  echo "$unit: $1${end:+ ($end)}" >&2; exit 1
}
systemctl enable -q "$unit"; systemctl reset-failed "$unit" 2>/dev/null || true
systemctl "$verb" "$unit" 2>/dev/null || why "did not $verb"
until told=$("$@" 2>&1 >/dev/null); do
  # IN_VAIN of systemd.ts.
  [ "$?" -ne 69 ] || why "runs, but $(printf '%s\n' "$told" | tail -n 1)"
  [ "$seconds" -gt 0 ] || why 'runs, but does not answer'
  case $(systemctl is-active "$unit") in failed|inactive) why 'ended' ;; esac
  seconds=$((seconds - 1)); sleep 1
done
