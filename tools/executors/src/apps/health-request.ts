import type { HealthSettings } from './health-settings.ts';
import type { AppSettings } from './settings.ts';

/** The request of the health check. Over the guest's address it is the same one as in the guest. */
export type HealthRequest = {
  readonly port: number;
  readonly path: string;
  /** With the domain in it, where the settings name one: it is in the Host header and, with TLS, in the server's name. */
  readonly url: string;
  /** Where it goes, and as whom, for messages. */
  readonly shown: string;
  readonly host: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
};

export function healthRequest({ health, ports }: Pick<AppSettings, 'health' | 'ports'>): HealthRequest {
  const { path, of, host, protocol, forwardedProto } = health;
  const port = ports[of];
  const scheme = protocol === 'https' ? 'https' : 'http';
  const here = `127.0.0.1:${port}`;
  return {
    port,
    path,
    url: `${scheme}://${host ?? here}${path}`,
    shown: `${scheme}://${here}${path}${host === undefined ? '' : ` as ${host}`}`,
    host,
    headers: forwardedProto === 'none' ? {} : { 'X-Forwarded-Proto': forwardedProto },
  };
}

/** Whether the settings call this status healthy. */
export function isExpected({ expect }: Pick<HealthSettings, 'expect'>, code: number): boolean {
  return expect.some((one) => (typeof one === 'number' ? one === code : one.startsWith(String(Math.floor(code / 100)))));
}
