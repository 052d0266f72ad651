import { type Command, script, write } from '../../engine/command.ts';

/** An instance in its Incus project. */
type Place = { readonly instance: string; readonly project: string };

/** Waits for systemd (running or degraded) and for an address: `incus exec` works before the network does. */
export function waitUntilUp(place: Place, seconds: number): Command {
  return waitInside(
    place,
    seconds,
    `state=$(timeout 20 systemctl is-system-running --wait 2>/dev/null) || true
address=$(hostname -I)
case $state,$address in running,*[.:]*|degraded,*[.:]*) exit 0 ;; esac
said="systemd says '\${state:-nothing}' and the address is '\${address:-none}'"`,
  );
}

/**
 * Asks in an instance again and again, for so many seconds, until it is as wanted. All of it is one process of the host: on a slow
 * one, `incus exec` and `incus list` once a second leave little to what is waited for (four containers came up in 169 s instead of
 * 213 s in an emulated machine).
 *
 * @param question shell commands that exit with 0 when it is as wanted, and else put into `said` what was found
 */
export function waitInside({ instance, project }: Place, seconds: number, question: string): Command {
  return script(
    'read',
    `end=$(($(date +%s) + $3))
while :; do
  said=$(incus exec "$1" --project "$2" -T -- sh -c "$4" sh "$((end - $(date +%s)))" 2>&1 </dev/null) && exit 0
  [ "$(date +%s)" -lt "$end" ] || { echo "after $3 s $said" >&2; exit 1; }
  sleep 0.2
done`,
    [
      instance,
      project,
      String(seconds),
      `end=$(($(date +%s) + $1))
while :; do
${question}
[ "$(date +%s)" -lt "$end" ] || { echo "$said"; exit 1; }
sleep 0.2
done`,
    ],
  );
}

/** Starts an instance and waits until it is up. */
export function startInstance(place: Place, seconds: number): Command[] {
  return [write(['incus', 'start', place.instance, '--project', place.project]), waitUntilUp(place, seconds)];
}
