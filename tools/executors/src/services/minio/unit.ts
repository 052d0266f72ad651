import { HEADER } from '../managed-file.ts';
import { BINARY } from './binaries.ts';
import type { MinioSettings } from './settings.ts';

export const UNIT = 'minio.service';
export const USER = 'minio-user';
export const UNIT_PATH = '/etc/systemd/system/minio.service';
export const ENV_PATH = '/etc/default/minio';

/**
 * The root credentials, each in a file of its own that MinIO reads at its start. Not in the EnvironmentFile: what is
 * there stands in /proc/<pid>/environ of the server for as long as it runs. As they are (any bytes), with no line end.
 */
export const SECRET_FILES = { rootUser: '/etc/minio/root-user', rootPassword: '/etc/minio/root-password' } as const;

/** The EnvironmentFile. Holds no secret itself. */
export function environmentFile(settings: MinioSettings): string {
  const variables = {
    MINIO_VOLUMES: settings.dataDir,
    MINIO_OPTS: `--address :${settings.port}${settings.console ? ` --console-address :${settings.consolePort}` : ''}`,
    MINIO_ROOT_USER_FILE: SECRET_FILES.rootUser,
    MINIO_ROOT_PASSWORD_FILE: SECRET_FILES.rootPassword,
    MINIO_SITE_REGION: settings.region,
    MINIO_BROWSER: settings.console ? 'on' : 'off',
    // Neither asks its maker for updates nor replaces its own binary.
    MINIO_UPDATE: 'off',
  };
  return (
    HEADER +
    Object.entries(variables)
      .map(([name, value]) => `${name}="${value}"\n`)
      .join('')
  );
}

/** Variables of an EnvironmentFile's text, quotes taken off; comments and blank lines are dropped. */
export function parseEnvironmentFile(text: string): Record<string, string> {
  const lines = text.split('\n').map((line) => /^\s*([A-Za-z_]\w*)=(.*?)\s*$/.exec(line));
  return Object.fromEntries(lines.flatMap((line) => (line ? [[line[1], String(line[2]).replace(/^(["'])(.*)\1$/, '$2')]] : [])));
}

/**
 * The unit. `Type=notify`: MinIO tells systemd when it serves (cmd/server-main.go, SdNotify).
 *
 * The hardening is what needs no mount namespace, which a container without `security.nesting` has not: under AppArmor
 * ProtectSystem=, PrivateTmp= and their like end in status 226/NAMESPACE there. `systemd-analyze security` says 3.0 (9.2 without).
 */
export const unitText = `${HEADER}[Unit]
Description=MinIO object storage
Documentation=https://github.com/minio/docs
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=120
StartLimitBurst=5

[Service]
Type=notify
User=${USER}
Group=${USER}
EnvironmentFile=${ENV_PATH}
ExecStart=${BINARY} server $MINIO_OPTS $MINIO_VOLUMES
Restart=on-failure
RestartSec=2
TimeoutStartSec=120
TimeoutStopSec=60
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
KeyringMode=private
RemoveIPC=yes
ProtectHostname=yes
ProtectClock=yes
DevicePolicy=closed

[Install]
WantedBy=multi-user.target
`;
