import { spawn } from 'node:child_process';
import type { Ended } from '../e2e/workspace.ts';
import { type Fleet, HOST, type Member, type ServiceName, sshConfig } from './fleet.ts';

/**
 * What an operator would write by hand to see whether the services are up, and fast: for each container one `incus exec`,
 * all at once, and in it the service's own client with the application's credentials. MinIO has none in the container; its
 * health check over bash's /dev/tcp proves less than our probe does, and costs less.
 */
const PROBES: Readonly<Record<ServiceName, (secrets: Readonly<Record<string, string>>) => string>> = {
  postgres: (secrets) => `[ "$(PGPASSWORD=${secrets.POSTGRES_PASSWORD} psql -h 127.0.0.1 -U veza -d veza -XAtqc 'SELECT 1')" = 1 ]`,
  redis: (secrets) => `[ "$(REDISCLI_AUTH=${secrets.REDIS_PASSWORD} redis-cli ping)" = PONG ]`,
  // erl_call asks the running node in 10 ms where rabbitmqctl starts an Erlang of its own, 0.4 s.
  rabbitmq: (secrets) => `export HOME=/var/lib/rabbitmq
answer=$(echo 'element(1, rabbit_access_control:check_user_pass_login(<<"veza">>, <<"${secrets.RABBITMQ_PASSWORD}">>)).' | erl_call -h floor -address 127.0.0.1:25672 -e)
[ "$answer" = '{ok, ok}' ]`,
  minio: () => `exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/9000
printf "GET /minio/health/live HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n" >&3
read -r _ status _ <&3; [ "$status" = 200 ]'`,
};

/** The whole script, for a `sh` on the host. Its secrets travel on standard input only. */
export function floorScript({ workspace, secrets, members }: Fleet): string {
  const probe = ({ instance, service }: Member) => `probe ${instance} <<'END' &\n${PROBES[service](secrets)}\nEND\n`;
  return `probe() { if incus exec "$1" --project ${workspace.environment} -T -- sh -s; then echo "up $1"; else echo "DOWN $1"; fi; }
${members.map(probe).join('')}wait
`;
}

/** Runs a script on the lab's host by `ssh`, over a connection of its own. Never rejects. */
export function overSsh(script: string): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn('ssh', ['-F', sshConfig, HOST, 'sh -s'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part: string) => (output += part));
    child.on('error', (error) => resolve({ code: 127, output: String(error) }));
    child.on('close', (code) => resolve({ code: code ?? 255, output }));
    child.stdin.on('error', () => {});
    child.stdin.end(script);
  });
}
