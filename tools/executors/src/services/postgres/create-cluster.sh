# shellcheck shell=sh
# VERSION PORT: VERSION is debian for the one that Debian ships. A folder with data is taken over.

version=$1
if [ "$version" = debian ]; then version=$(dpkg-query -W -f '${Version}' postgresql); version=${version%%+*}; fi
port=$2 data=/var/lib/postgresql/$version/main
set -- "$version" main --port "$port" --start-conf auto
if [ -e "$data/PG_VERSION" ]; then
  for file in postgresql.conf pg_ident.conf pg_hba.conf; do
    [ -e "$data/$file" ] || install -m 0640 -o postgres -g postgres "/usr/share/postgresql/$version/$file.sample" "$data/$file"
  done
else
  set -- "$@" --locale C.UTF-8 --encoding UTF8 -- --data-checksums
fi
pg_createcluster "$@"
