import { type Command, script, write } from '../../engine/command.ts';
import { INCUS, incus } from './command.ts';
import type { Nic } from './nic.ts';

/** An instance in its Incus project. */
type Place = { readonly instance: string; readonly project: string };

/**
 * Waits for systemd (running or degraded) and for an address on one of the NICs: `incus exec` works before the network does, and a
 * bridge of the instance's own (`docker0`) has its address before the NIC has one. The NIC is known by its MAC address, whatever its name
 * is; where no interface has it any more, any address will do.
 */
export function waitUntilUp(place: Place, seconds: number, nics: readonly Nic[]): Command {
  return waitInside(
    place,
    seconds,
    `state=$(timeout 20 systemctl is-system-running --wait 2>/dev/null) || true
address='' found=''
for file in /sys/class/net/*/address; do
  case " $2 " in *" $(cat "$file" 2>/dev/null) "*) ;; *) continue ;; esac
  name=\${file#/sys/class/net/} found=yes
  address="$address $(ip -o address show dev "\${name%/address}" scope global 2>/dev/null | awk '{ print $4 }')"
done
[ "$found" = yes ] && command -v ip >/dev/null || address=$(hostname -I)
case $state,$address in running,*[.:]*|degraded,*[.:]*) exit 0 ;; esac
address=$(echo $address)
said="systemd says '\${state:-nothing}' and the address is '\${address:-none}'"`,
    nics,
  );
}

/**
 * Asks in an instance again and again, for so many seconds, until it is as wanted. All of it is one process of the host: on a slow
 * one, `incus exec` and `incus list` once a second leave little to what is waited for (four containers came up in 169 s instead of
 * 213 s in an emulated machine).
 *
 * @param question shell commands that exit with 0 when it is as wanted, and else put into `said` what was found
 * @param nics whose MAC addresses, with blanks between, are `$2` for the question
 */
export function waitInside({ instance, project }: Place, seconds: number, question: string, nics: readonly Nic[] = []): Command {
  return script(
    'read',
    `name=$1 project=$2 seconds=$3 question=$4 macs=''
shift 4
for nic; do
  mac=$(${INCUS} config get "$name" "volatile.\${nic%=*}.hwaddr" --project "$project" </dev/null)
  [ -n "$mac" ] || mac=\${nic##*=}
  macs="$macs $mac"
done
end=$(($(date +%s) + seconds))
while :; do
  said=$(${INCUS} exec "$name" --project "$project" -T -- sh -c "$question" sh "$((end - $(date +%s)))" "$macs" 2>&1 </dev/null) && exit 0
  [ "$(date +%s)" -lt "$end" ] || { echo "after $seconds s $said" >&2; exit 1; }
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
      ...nics.map(({ name, device }) => `${name}=${device.hwaddr?.toLowerCase() ?? ''}`),
    ],
  );
}

/** Starts an instance and waits until it is up. */
export function startInstance(place: Place, seconds: number, nics: readonly Nic[]): Command[] {
  return [write(incus('start', place.instance, '--project', place.project)), waitUntilUp(place, seconds, nics)];
}
