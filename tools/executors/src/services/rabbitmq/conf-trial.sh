# shellcheck shell=sh
# CONF UNIT QUESTION, with pick; stdin is the content. What the exit codes mean: conf-trial.ts.
#
# A whole boot of RabbitMQ from the content, beside the running node: with empty data in a folder of its own, the plugins that are enabled,
# and in a network of its own, so that it listens on the very ports. It ends itself as soon as it is ready and has answered the question.
#
# Before there is a former file or a running node there is nothing to protect, and the first start tells the same.
#
# The sandbox is no reason to refuse a file. A folder that RabbitMQ would write to (log.dir) gives way to one of the sandbox; where a file
# can be read by RabbitMQ only (the key of a certificate), or a boot fails for an address or a host that the sandbox does not have, nothing
# was tried.

conf=$1 unit=$2; printf %s "$3" >asked.erl
[ -e "$conf" ] || [ -L "/run/systemd/units/invocation:$unit" ] || { echo 'no node runs that it could harm' >&2; exit 3; }
hidden() { echo "$1 can be read by RabbitMQ only" >&2; exit 3; }
for file in /etc/rabbitmq/conf.d/*.conf /etc/rabbitmq/advanced.config /etc/rabbitmq/enabled_plugins; do
  [ ! -e "$file" ] || [ -r "$file" ] || hidden "$file"
done
mkdir written
while read -r key equals value; do
  case $value in /*)
    found=$value
    until [ -e "$found" ]; do found=$(dirname "$found"); done
    if [ -d "$value" ]; then
      [ -w "$value" ] || value=$PWD/written
    elif [ ! -r "$found" ] || { [ -d "$found" ] && [ ! -x "$found" ]; }; then hidden "$value"; fi ;;
  esac
  printf '%s %s %s\n' "$key" "$equals" "$value"
done >rabbitmq.conf
export HOME="$PWD" ERL_CRASH_DUMP_BYTES=0 RUNNING_UNDER_SYSTEMD=true RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$PWD/rabbitmq.conf" \
  RABBITMQ_NODENAME=trial@localhost RABBITMQ_MNESIA_BASE="$PWD/data" RABBITMQ_LOG_BASE="$PWD/log" RABBITMQ_LOGS=- \
  RABBITMQ_GENERATED_CONFIG_DIR="$PWD/generated" RABBITMQ_PLUGINS_EXPAND_DIR="$PWD/expanded" RABBITMQ_PID_FILE="$PWD/pid" \
  RABBITMQ_SERVER_START_ARGS='-eval file:eval("asked.erl"),halt(1).'
/usr/lib/rabbitmq/bin/rabbitmq-server >said 2>&1 && code=0 || code=$?
if [ "$code" = 42 ]; then cat limits 2>/dev/null || true; exit 0; fi
if [ "$code" = 43 ]; then cut -c 1-500 refused >&2; exit 65; fi
reason=$(pick <said); [ -n "$reason" ] || reason=$(tail -n 4 said | cut -c 1-500)
printf '%s\n' "$reason" >&2
[ "$code" = 1 ] || exit 3
if grep -qE '\b(eaddrnotavail|eacces|erofs|enospc|nxdomain|ehostunreach|enetunreach|econnrefused)\b' said; then exit 3; fi
exit 65
