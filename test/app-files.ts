/** Files of a workspace with two applications in one environment, as the tests need them: whole, and as small as can be. */

export const KEY = `ssh-ed25519 ${'A'.repeat(68)} you@machine`;
export const proxmox = {
  url: 'https://pve.example.org:8006',
  tokenId: 'mooring@pve!deploy',
  tokenSecret: { secret: 'PVE_TOKEN' },
  fingerprint: Array(32).fill('AB').join(':'),
  authorizedKeys: [KEY],
};
export const guest = { name: 'pote-dev', vmid: 201, ip: '10.20.0.101/24', gateway: '10.20.0.1', branch: 'main' };
export const pote = {
  description: 'Notes',
  kind: 'python',
  repository: 'git@git.example.org:team/pote.git',
  python: { start: ['python', '-m', 'pote'] },
  deployKey: { secret: 'POTE_KEY' },
  gitHostKeys: [KEY],
  environments: { dev: guest },
};
export const shop = {
  ...pote,
  kind: 'node',
  python: undefined,
  node: { backend: { start: ['node', 'server.js'] } },
  environments: { dev: { ...guest, name: 'shop-dev', vmid: 202, ip: '10.20.0.102/24' } },
};
