import { type Command, script, write } from '../../engine/command.ts';

/** An instance in its Incus project. */
type Place = { readonly instance: string; readonly project: string };

/** Waits for systemd (running or degraded) and for an address: `incus exec` works before the network does. */
export function waitUntilUp({ instance, project }: Place, seconds: number): Command {
  return script(
    'read',
    `end=$(($(date +%s) + $3))
while :; do
  state=$(incus exec "$1" --project "$2" -T -- timeout 20 systemctl is-system-running --wait 2>/dev/null </dev/null) || true
  address=$(incus list "name=^$1\\$" --project "$2" -f csv -c 46)
  case $state in running|degraded) [ "\${#address}" -le 2 ] || exit 0 ;; esac
  [ "$(date +%s)" -lt "$end" ] || { echo "after $3 s systemd says '\${state:-nothing}' and the address is '\${address:-none}'" >&2; exit 1; }
  sleep 0.2
done`,
    [instance, project, String(seconds)],
  );
}

/** Starts an instance and waits until it is up. */
export function startInstance(place: Place, seconds: number): Command[] {
  return [write(['incus', 'start', place.instance, '--project', place.project]), waitUntilUp(place, seconds)];
}
