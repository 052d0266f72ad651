/**
 * The pages of the documentation that errors name, by what they are about. They lie beside the package's `dist` and in this
 * repository's `docs`. A test holds that each is there.
 */
export const PAGES = {
  all: 'docs/errors.md',
  command: 'docs/errors.md#before-a-host-is-asked',
  files: 'docs/errors.md#release-and-files',
  versions: 'docs/settings.md#versions-of-the-files',
  secrets: 'docs/errors.md#secrets',
  host: 'docs/errors.md#reaching-the-host',
  containers: 'docs/errors.md#preflight-and-containers',
  binaries: 'docs/errors.md#binaries',
  restorePoints: 'docs/errors.md#restore-points',
  lease: 'docs/errors.md#lease-and-audit-log',
  rollBack: 'docs/errors.md#roll-back',
  drill: 'docs/errors.md#drill',
  services: 'docs/errors.md#the-services',
  applications: 'docs/errors.md#applications',
  guests: 'docs/errors.md#guests-on-proxmox',
  failed: 'docs/errors.md#a-command-that-failed',
  internal: 'docs/errors.md#an-error-with-a-stack',
} as const;

/** What an error is about. */
export type Page = keyof typeof PAGES;
