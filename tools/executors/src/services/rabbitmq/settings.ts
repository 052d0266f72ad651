import { z } from 'zod';
import type { Secret } from '../../engine/secret.ts';
import { secretReference } from '../../engine/secret-reference.ts';
import { parameterName, parameterValue, useSetting } from '../parameters.ts';

/** Keys that this service writes itself, that only matter for accounts it removes, or that name another place for the data. */
const TAKEN: readonly (readonly [keys: RegExp, why: string])[] = [
  [/^listeners\.tcp(\.|$)/, useSetting('port')],
  [/^default_user(\.|$)/, useSetting('user')],
  [/^default_pass(\.|$)/, useSetting('password')],
  [/^default_vhost(\.|$)/, useSetting('vhost')],
  [/^default_user_tags(\.|$)/, useSetting('tags')],
  [/^(loopback_users|default_users|default_permissions)(\.|$)/, 'the settings "user" and "vhost" say who may do what'],
  [/^(raft\.(wal_)?data_dir|msg_store_\w*dir|mnesia_(base|dir))(\.|$)/, 'it names another place for the data'],
];

/** User tags of the RabbitMQ manual ("Access Control", "User Tags and Management UI Access"). */
const tags = ['administrator', 'monitoring', 'policymaker', 'management', 'impersonator'] as const;

/** `settings` of a container with `"service": "rabbitmq"`. */
export const settings = z.strictObject({
  user: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, 'expected letters, digits, dots, dashes and underscores')
    .refine((name) => name !== 'guest', 'guest is removed, as its password is known to all')
    .default('veza')
    .describe('User that the application connects as.'),
  password: secretReference.describe("The user's password."),
  tags: z.array(z.enum(tags)).default([]).describe('Tags of the user. An application needs none: they open the management interface.'),
  vhost: z
    .string()
    .regex(/^[A-Za-z0-9_./-]{1,255}$/, 'expected letters, digits, dots, dashes, underscores and slashes')
    .default('/veza')
    .describe('Virtual host, on which the user may do everything (configure, write, read: .*).'),
  nodeName: z
    .string()
    .regex(/^[a-z][a-z0-9_-]*@[A-Za-z0-9][A-Za-z0-9-]*$/, 'expected a short Erlang node name such as rabbit@localhost')
    .default('rabbit@localhost')
    .describe('Name of the node. Its data is found by it, so it never follows the host name; for a node that was there before, its name.'),
  erlangCookie: secretReference.optional().describe("The node's Erlang cookie; left out, the one that Debian's package made stays."),
  port: z.int().min(1).max(65535).default(5672).describe('TCP port for AMQP.'),
  parameters: z
    .record(
      parameterName(
        /^[a-z][A-Za-z0-9_]*(\.[A-Za-z0-9_$-]+)*$/,
        'expected a rabbitmq.conf key such as vm_memory_high_watermark.relative',
        (key) => TAKEN.find(([keys]) => keys.test(key))?.[1],
      ),
      parameterValue(/^[^\s#]([^\r\n#]*[^\s#])?$/, 'one line without # and without blanks around it', ['true', 'false']),
    )
    .prefault({})
    .describe('Further rabbitmq.conf settings by key, such as "channel_max": 64.'),
});

export type RabbitmqSettings = Omit<z.output<typeof settings>, 'password' | 'erlangCookie'> & {
  password: Secret;
  erlangCookie?: Secret | undefined;
};
