import type { BackendGuest } from './backend.ts';

type File = { readonly path: string; readonly content: string };

/** The guest's name, as Proxmox writes it before each start. */
export function nameFiles({ hostname }: BackendGuest): File[] {
  const [short = hostname] = hostname.split('.');
  return [
    { path: '/etc/hostname', content: `${short}\n` },
    { path: '/etc/hosts', content: `127.0.0.1 localhost\n127.0.1.1 ${hostname}${short === hostname ? '' : ` ${short}`}\n::1 localhost\n` },
  ];
}

/** The interfaces' addresses, before the image's own file that asks DHCP. */
export function interfaceFiles({ interfaces, nameservers }: BackendGuest): File[] {
  return interfaces.map(({ name, ip, gw }) => {
    const servers = nameservers.length > 0 ? nameservers : gw === undefined ? [] : [gw];
    const lines = ip.includes('/')
      ? [`Address=${ip}`, ...(gw === undefined ? [] : [`Gateway=${gw}`]), ...servers.map((server) => `DNS=${server}`)]
      : ip === 'dhcp'
        ? ['DHCP=ipv4']
        : [];
    const dhcp = ip === 'dhcp' ? '[DHCPv4]\nClientIdentifier=mac\n' : '';
    return {
      path: `/etc/systemd/network/05-${name}.network`,
      content: `[Match]\nName=${name}\n[Network]\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=no\n${lines.map((line) => `${line}\n`).join('')}${dhcp}`,
    };
  });
}
