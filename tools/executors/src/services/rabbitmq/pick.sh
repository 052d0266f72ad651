# shellcheck shell=sh
# pick: picks the reason out of what a node that does not start prints: a hundred lines of Erlang terms, one of them of use.

pick() {
  sed -n \
    -e 's/^.*\[error\] <[0-9.]*> *\(Error preparing.*\|- .*\|Error during startup.*\)/\1/p' \
    -e 's/^.*could_not_start_listener,"[^"]*",\([0-9]*\),.*{listen_error,{acceptor,{[0-9a-f,]*},[0-9]*},\([a-z_]*\)}.*/port \1: \2/p;t' \
    -e 's/^ *Starting broker\.\.\.\({.*\)/\1/p' \
    -e '/^Exception during startup:$/{n;n;p}' | uniq | tail -n 4 | cut -c 1-500
}
