# shellcheck shell=sh
# The question of wait-inside.sh whether an instance is up: $2 has the MAC addresses of its NICs. It leaves in said what was found.
# shellcheck disable=SC2034,SC2086,SC2116 # echo without quotes takes the blanks together

state=$(timeout 20 systemctl is-system-running --wait 2>/dev/null) || true
address='' found=''
for file in /sys/class/net/*/address; do
  case " $2 " in *" $(cat "$file" 2>/dev/null) "*) ;; *) continue ;; esac
  name=${file#/sys/class/net/} found=yes
  address="$address $(ip -o address show dev "${name%/address}" scope global 2>/dev/null | awk '{ print $4 }')"
done
[ "$found" = yes ] && command -v ip >/dev/null || address=$(hostname -I)
case $state,$address in running,*[.:]*|degraded,*[.:]*) exit 0 ;; esac
address=$(echo $address)
said="systemd says '${state:-nothing}' and the address is '${address:-none}'"
