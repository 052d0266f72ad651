/**
 * What our own sessions run with, whatever the server's files, ALTER SYSTEM, ALTER ROLE postgres or ALTER DATABASE say: options of a connection
 * outrank all of them (manual, "Setting Parameters"), and count from the session's first statement on. The names are those of PostgreSQL 15 and newer.
 */
const OURS: Readonly<Record<string, string>> = {
  // The only limit of a command is its own, and no COMMIT of ours waits for a standby that may not be there.
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  synchronous_commit: 'local',
  // What is changed is changed, by the superuser.
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  default_transaction_isolation: 'read committed',
  role: 'none',
  // No code of others runs with the superuser's rights, from a library or in the place of a system function.
  session_preload_libraries: '',
  local_preload_libraries: '',
  search_path: 'pg_catalog',
  row_security: 'on',
  // What is printed and read.
  client_encoding: 'UTF8',
  client_min_messages: 'error',
  lc_messages: 'C',
  DateStyle: 'ISO',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  standard_conforming_strings: 'on',
  // A damaged page is an error; zeroing it would lose what is in it.
  ignore_checksum_failure: 'off',
  zero_damaged_pages: 'off',
  work_mem: '4MB',
  temp_file_limit: '-1',
  jit: 'off',
  // A role's verifier goes into no log: neither as a statement, nor with an error, a crash or a deadlock.
  log_statement: 'none',
  log_min_duration_statement: '-1',
  log_min_duration_sample: '-1',
  log_transaction_sample_rate: '0',
  log_min_error_statement: 'panic',
  debug_print_parse: 'off',
  debug_print_rewritten: 'off',
  debug_print_plan: 'off',
  track_activities: 'off',
  'pg_stat_statements.track_utility': 'off',
};

/** Those that PostgreSQL 17 brought; an older server would refuse the session. */
const SINCE_17: Readonly<Record<string, string>> = { transaction_timeout: '0', event_triggers: 'off' };

/** POSIX shell text that gives our options to the sessions of a server of major `$version`. */
export const OUR_OPTIONS = `PGOPTIONS='${options(OURS)}'
[ "$version" -lt 17 ] || PGOPTIONS="$PGOPTIONS"' ${options(SINCE_17)}'
export PGOPTIONS`;

/** psql's command that takes them from the sessions after it: the application's gets what the server gives to the application. */
export const NO_OPTIONS = '\\setenv PGOPTIONS\n';

/** As libpq takes them: a blank in a value stands behind a backslash. */
function options(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`)
    .join(' ');
}
