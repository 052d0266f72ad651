# shellcheck shell=sh
# With ask: the SQL on stdin, for every database that is no template.

sql=$(cat)
names=$(echo "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1" | (ask postgres))
printf '%s\n' "$names" | while IFS= read -r name; do printf '%s\n' "$sql" | (ask "$name"); done
