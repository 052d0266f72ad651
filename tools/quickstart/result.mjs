/** The JSON object in an output that nx has put its own lines around. */
export function parseStatus(output) {
  const end = output.lastIndexOf('}');
  for (let start = output.indexOf('{'); start !== -1 && start < end; start = output.indexOf('{', start + 1)) {
    try {
      const value = JSON.parse(output.slice(start, end + 1));
      if (Array.isArray(value.containers)) return value;
    } catch {
      // A brace of nx's own.
    }
  }
  return undefined;
}

const text = (value) => {
  if (value === null || value === undefined || value === '') return '-';
  return typeof value === 'object' ? text(value.name ?? value.status ?? JSON.stringify(value)) : String(value);
};

export function table(containers) {
  const rows = [
    ['container', 'address', 'service and version', 'health', 'restore point'],
    ...containers.map((c) => [text(c.container), text(c.address), `${text(c.service)} ${text(c.version)}`, text(c.health), text(c.restorePoint)]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd()).join('\n');
}

const commands = {
  postgres: (address) => [`psql -h ${address} -U veza veza`, 'POSTGRES_PASSWORD'],
  redis: (address) => [`redis-cli -h ${address} --askpass ping`, 'REDIS_PASSWORD'],
  rabbitmq: (address) => [`amqp://veza@${address}:5672/%2Fveza`, 'user veza, password RABBITMQ_PASSWORD'],
  minio: (address) => [`mc alias set veza-local http://${address}:9000 && mc ls veza-local/veza-local`, 'MINIO_ACCESS_KEY, MINIO_SECRET_KEY'],
};

/** How to reach each service, and which names in the secrets file it asks for; never a value. */
export function connections(containers, secretsFile) {
  const known = containers.filter((c) => commands[c.service] && c.address);
  if (known.length === 0) return [];
  const width = Math.max(...known.map((c) => c.service.length));
  const lines = known.map((c) => {
    const [command, asks] = commands[c.service](c.address);
    return `  ${c.service.padEnd(width)}  ${command}\n  ${' '.repeat(width)}  (${asks})`;
  });
  return ['Connect from this machine:', ...lines, `The values of these names are in ${secretsFile}.`];
}
