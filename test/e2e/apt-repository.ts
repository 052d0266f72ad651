import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { run, STRICT, type Workspace } from './workspace.ts';

/** What is appended to the version of Debian's own package: whoever has it got it from this repository. */
export const MARK = '+mooring1';

/** An apt repository of this test's own, with Debian's PostgreSQL server under another version in it. */
export type AptRepository = {
  /** `http://<bridge address>:<port>` */
  readonly url: string;
  /** Debian's major. */
  readonly major: number;
  /** Of the key at `<url>/good.asc`, which signed the suite `good`. The suite `forged` is signed by another. */
  readonly fingerprint: string;
  close(): Promise<void>;
};

/** In a container, since the machine of the tests need not be a Debian with gpg: repacks, indexes and signs. */
const BUILD = `
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
apt-get -qq update
apt-get -qq -y --no-install-recommends install gpg gpg-agent >/dev/null
version=$(dpkg-query -W -f '\${Version}' postgresql 2>/dev/null || apt-cache show postgresql | sed -n 's/^Version: //p')
major=\${version%%+*}
mkdir -p /srv/repository/pool && cd /srv/repository
(cd pool && apt-get -qq -y download "postgresql-$major" && chmod 0644 ./*)
dpkg-deb -R pool/*.deb /srv/tree && rm pool/*
sed -i 's/^Version: .*/&${MARK}/' /srv/tree/DEBIAN/control
dpkg-deb -Zgzip -z1 -b /srv/tree pool/server.deb >/dev/null
arch=$(dpkg --print-architecture)
for name in good other; do
  gpg -q --batch --passphrase '' --quick-gen-key "$name <$name@localhost>" ed25519 sign never
done
gpg -q --armor --export good >good.asc
for suite in good forged; do
  index=main/binary-$arch/Packages
  mkdir -p "dists/$suite/main/binary-$arch"
  { cat /srv/tree/DEBIAN/control
    printf 'Filename: pool/server.deb\\nSize: %s\\nSHA256: %s\\n' "$(stat -c %s pool/server.deb)" "$(sha256sum <pool/server.deb | cut -d ' ' -f 1)"
  } >"dists/$suite/$index"
  { printf 'Origin: test\\nSuite: %s\\nCodename: %s\\nDate: %s\\nArchitectures: %s\\nComponents: main\\nSHA256:\\n' "$suite" "$suite" "$(date -Ru)" "$arch"
    printf ' %s %s %s\\n' "$(sha256sum <"dists/$suite/$index" | cut -d ' ' -f 1)" "$(stat -c %s "dists/$suite/$index")" "$index"
  } >/srv/Release
  signer=good; [ "$suite" = good ] || signer=other
  gpg -q --batch --local-user "$signer@localhost" --clearsign --output "dists/$suite/InRelease" /srv/Release
done
printf '%s %s\\n' "$major" "$(gpg --batch --with-colons --list-keys good@localhost | sed -n 's/^fpr:*\\([0-9A-F]*\\):$/\\1/p')"
`;

/** Builds the repository in a container of the workspace's Incus project and serves it on the lab's bridge. */
export async function makeAptRepository(workspace: Workspace, image: string, network: string): Promise<AptRepository> {
  await workspace.incus('launch', image, 'apt-builder', '--profile', 'veza-data', '--profile', 'veza-net');
  await workspace.incus(
    'exec',
    'apt-builder',
    '--',
    'sh',
    '-euc',
    'until [ -n "$(ip -4 -o address show dev eth0 scope global)" ]; do sleep 0.5; done',
  );
  const answer = await workspace.incus('exec', 'apt-builder', '-T', '--', ...STRICT, BUILD);
  const [, major, fingerprint] = /^(\d+) ([0-9A-F]{40})$/m.exec(answer) ?? [];
  if (major === undefined || fingerprint === undefined) throw new Error(`the apt repository was not built: ${answer}`);
  const root = await mkdtemp(join(tmpdir(), 'mooring-apt-'));
  await workspace.incus('file', 'pull', '-r', 'apt-builder/srv/repository', root);
  const address = (await run('incus', ['network', 'get', network, 'ipv4.address'])).trim().split('/')[0];
  const server = await serve(join(root, 'repository'), String(address));
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    major: Number(major),
    fingerprint,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(root, { recursive: true, force: true });
    },
  };
}

function serve(root: string, address: string): Promise<Server> {
  const server = createServer((request, response) => {
    readFile(join(root, normalize(`/${request.url}`))).then(
      (content) => response.end(content),
      () => response.writeHead(404).end(),
    );
  });
  return new Promise((resolve, reject) => server.once('error', reject).listen(0, address, () => resolve(server)));
}
