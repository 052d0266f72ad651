import { describe, expect, it, vi } from 'vitest';
import { reveal, Secret } from '../../engine/secret.ts';
import { putUser } from './admin.ts';
import { ask, SignedRequests, tell } from './requests.ts';

const signer = { accessKey: new Secret('veza-app'), secretKey: new Secret('a secret key') };
const endpoint = { port: 9000, region: 'us-east-1' };
const now = () => new Date('2026-11-23T05:58:05.123Z');
const text = (requests: SignedRequests) => Buffer.from(requests.reveal(), 'base64').toString();

describe('signed requests', () => {
  it('are one HTTP/1.1 text, in order, and the last one closes the connection', () => {
    const sent = text(
      new SignedRequests(
        endpoint,
        [
          { signer, method: 'PUT', path: '/veza/probe', body: 'hello' },
          { signer, method: 'DELETE', path: '/veza/probe' },
        ],
        now,
      ),
    );
    expect(sent).toMatchInlineSnapshot(`
      "PUT /veza/probe HTTP/1.1
      X-Amz-Date: 20261123T055805Z
      X-Amz-Content-Sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
      Host: localhost:9000
      Authorization: AWS4-HMAC-SHA256 Credential=veza-app/20261123/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=742deda4361844045f1c76b12a623fae9230442e8a5642e5754fb1588b0fa1f1
      Content-Length: 5
      Connection: keep-alive

      helloDELETE /veza/probe HTTP/1.1
      X-Amz-Date: 20261123T055805Z
      X-Amz-Content-Sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
      Host: localhost:9000
      Authorization: AWS4-HMAC-SHA256 Credential=veza-app/20261123/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=119b3fc72b8ed6aa219ae593269c8566ea3c96886fa93f6f315b6722f178fcfe
      Content-Length: 0
      Connection: close

      "
    `);
  });

  it('are signed when they are sent, not when they are planned', () => {
    const clock = vi.fn(now);
    const requests = new SignedRequests(endpoint, [{ signer, method: 'GET', path: '/' }], clock);
    expect(clock).not.toHaveBeenCalled();
    reveal(requests);
    expect(clock).toHaveBeenCalledOnce();
  });

  it('show no secret, neither themselves nor in the commands that carry them', () => {
    const request = putUser({ accessKey: new Secret('the-root'), secretKey: new Secret('root password') }, signer);
    const commands = [
      ask(endpoint, [request]),
      ask(endpoint, [request], { text: 'cat "$2"', parameters: ['/a/file'] }),
      tell(endpoint, request),
    ];
    for (const command of commands) {
      const seen = `${JSON.stringify(command)} ${command.argv.join(' ')} ${command.stdin}`;
      expect(seen).not.toMatch(/veza-app|a secret key|the-root|root password/);
    }
    expect(String(commands[0]?.stdin)).toBe('(1 signed requests)');
  });

  it('quote what a path must not hold as it is', () => {
    const user = { accessKey: new Secret('a+b@c:d'), secretKey: new Secret('12345678') };
    const sent = text(new SignedRequests(endpoint, [putUser(signer, user)], now));
    expect(sent).toMatch(/^PUT \/minio\/admin\/v3\/add-user\?accessKey=a%2Bb%40c%3Ad HTTP\/1.1\r\n/);
  });
});
