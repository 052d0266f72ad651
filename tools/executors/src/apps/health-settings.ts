import { z } from 'zod';

/** An HTTP status, or all of a class. Informational ones end no request. */
const status = z.union(
  [z.int().min(200).max(599), z.enum(['2xx', '3xx', '4xx', '5xx'])],
  'expected a status such as 204, or a class such as "2xx"',
);

/** How an application is asked whether it is healthy: as its clients ask it, who mostly come through a proxy that ends TLS. */
export const health = z
  .strictObject({
    path: z
      .string()
      .regex(/^\/[\w/.~!$&'()*+,;=:@%?-]*$/, 'expected a path such as /health')
      .default('/health'),
    of: z.enum(['backend', 'frontend']).default('backend'),
    host: z
      .string()
      .max(255)
      .regex(
        /^(?!-)[a-zA-Z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-zA-Z0-9-]{1,63}(?<!-))*(?::[1-9]\d{0,4})?$/,
        'expected a host name as in a URL, such as notes.example.org',
      )
      .optional()
      .describe('What the Host header says, for an application that answers to its domain alone; left out: 127.0.0.1 and the port.')
      .meta({ examples: ['notes.example.org'] }),
    protocol: z
      .enum(['http', 'https', 'h2c'])
      .default('http')
      .describe('What the port speaks; "h2c" is HTTP/2 without TLS. The certificate is not judged.'),
    forwardedProto: z
      .enum(['https', 'http', 'none'])
      .default('https')
      .describe('X-Forwarded-Proto, as a proxy in front of it sends it; "none": the header is not sent.'),
    expect: z
      .array(status)
      .min(1)
      .default(['2xx'])
      .describe('Statuses that are healthy; redirects are not followed.')
      .meta({ examples: [['2xx', 401]] }),
    timeoutSeconds: z
      .int()
      .min(1)
      .max(600)
      .default(60)
      .describe('How long a release has to become healthy; its first answer may take half of it.'),
  })
  .prefault({});

/** As {@link health} gives it out. */
export type HealthSettings = z.output<typeof health>;
