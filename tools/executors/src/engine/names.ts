import { z } from 'zod';

/** A part of a host name: what Incus takes as an instance name and DNS as a label. */
export const HOST_PART = /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/;

/** Incus refuses longer instance names; a DNS label is as long. */
export const INSTANCE_NAME_MAX = 63;

/** Name of a container, a storage project or an environment. */
export const hostPart = z
  .string()
  .max(INSTANCE_NAME_MAX)
  .regex(
    HOST_PART,
    'expected a part of a host name: lower-case letters, digits and hyphens, beginning with a letter, not ending with a hyphen',
  )
  .meta({ examples: ['postgres'] });

/** Name of a thing in Incus that is not an instance: a project, a profile, a network, a pool. */
export const incusName = z
  .string()
  .max(63)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, 'expected a name in Incus: letters, digits, dots, hyphens and underscores');

/** `local`, or an alias of the user's OpenSSH configuration. It is given to `ssh` as an argument, so it never begins with a hyphen. */
export const hostAlias = z
  .string()
  .max(255)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/, 'expected "local" or a host alias of the SSH configuration')
  .meta({ description: '`local`, or a host alias of the OpenSSH configuration', examples: ['local', 'veza-staging'] });

/** A path of the workspace. */
export const relativePath = z
  .string()
  .regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[^\0]+$/, 'expected a path inside the workspace, relative to its root')
  .meta({ examples: ['.lab/ssh_config'] });
