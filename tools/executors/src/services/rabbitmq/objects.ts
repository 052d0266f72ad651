import { z } from 'zod';
import { type Change, type Left, leaving } from '../../engine/change.ts';
import type { Command } from '../../engine/command.ts';
import type { Fact } from '../../engine/fact.ts';
import { joinSecret, Secret } from '../../engine/secret.ts';
import { type Desired, defineStage } from '../../engine/service.ts';
import { answer, ask, binary, tell } from './erlang.ts';
import { passwordMatches } from './password.ts';
import type { RabbitmqSettings } from './settings.ts';

const objectFacts = z.strictObject({
  vhost: z.boolean(),
  /** `null`: there is no such user. The hash is base64: salt and digest. */
  user: z.strictObject({ hash: z.base64(), algorithm: z.string(), tags: z.array(z.string()) }).nullable(),
  /** Patterns for configure, write and read on the vhost; `null`: none are set. */
  permission: z.tuple([z.string(), z.string(), z.string()]).nullable(),
  guest: z.boolean(),
  /** Who may use which virtual host: user and host. */
  grants: z.array(z.tuple([z.string(), z.string()])),
});

export type ObjectFacts = z.output<typeof objectFacts>;

/** Patterns for configure, write and read. */
type Permission = readonly [string, string, string];

/** What is recorded as the one who did it, in RabbitMQ's events. */
const ACTOR = binary('mooring');

const ALL = '.*';

/** Virtual host, user and permissions, as the running node has them. */
export const objects = defineStage<RabbitmqSettings, { objects: ObjectFacts }>({
  name: 'objects',
  facts: ({ settings }) => ({ objects: objectsFact(settings) }),
  plan: (facts, desired) => planObjects(facts.objects, desired),
});

function objectsFact({ user, vhost }: RabbitmqSettings): Fact<ObjectFacts> {
  const expression = `User = ${binary(user)}, Vhost = ${binary(vhost)},
 Account = case rabbit_auth_backend_internal:lookup_user(User) of {ok, Found} -> Found; {error, not_found} -> null end,
 #{vhost => rabbit_vhost:exists(Vhost),
   grants => [[proplists:get_value(user, Grant), proplists:get_value(vhost, Grant)] || Grant <- rabbit_auth_backend_internal:list_permissions()],
   guest => rabbit_auth_backend_internal:exists(${binary('guest')}),
   user => case Account of null -> null; _ -> #{hash => base64:encode(internal_user:get_password_hash(Account)),
     algorithm => atom_to_binary(internal_user:get_hashing_algorithm(Account)),
     tags => [atom_to_binary(Tag) || Tag <- internal_user:get_tags(Account)]} end,
   permission => case Account of null -> null; _ ->
     case [Set || Set <- rabbit_auth_backend_internal:list_user_permissions(User), proplists:get_value(vhost, Set) =:= Vhost] of
       [] -> null; [Set] -> [proplists:get_value(Kind, Set) || Kind <- [configure, write, read]] end end}`;
  return { name: 'vhost, user and permissions', command: ask(expression), parse: (result) => answer(result, objectFacts) };
}

function planObjects(facts: ObjectFacts, { settings }: Desired<RabbitmqSettings>): Change[] {
  const vhost = binary(settings.vhost);
  const user = binary(settings.user);
  const changes: Change[] = [];
  if (!facts.vhost) {
    changes.push({
      resource: `vhost ${settings.vhost}`,
      action: 'create',
      ...leaving(formerVhosts(facts, settings)),
      because: 'there is none',
      commands: [tell(`rabbit_vhost:add(${vhost}, ${ACTOR})`)],
      // An empty one that stays harms nobody; one that is deleted takes what was put into it meanwhile along.
      undo: [],
    });
  }
  changes.push(...planUser(facts.user, settings, user));
  if (facts.permission?.every((pattern) => pattern === ALL) !== true) {
    const set = (patterns: Permission) =>
      tell(
        `rabbit_auth_backend_internal:set_permissions(${user}, ${vhost}, ${patterns.map((pattern) => binary(pattern)).join(', ')}, ${ACTOR})`,
      );
    const former =
      facts.permission === null
        ? tell(`rabbit_auth_backend_internal:clear_permissions(${user}, ${vhost}, ${ACTOR})`)
        : set(facts.permission);
    changes.push({
      resource: `permissions of ${settings.user} on ${settings.vhost}`,
      action: facts.permission === null ? 'create' : 'update',
      ...(facts.permission === null ? {} : { before: named(facts.permission) }),
      after: named([ALL, ALL, ALL]),
      impact: 'none',
      because: facts.permission === null ? 'none are set' : 'they differ from the settings',
      commands: [set([ALL, ALL, ALL])],
      // Those of a user who was not there go with them.
      ...inTheEnd(...(facts.user === null ? [] : [former])),
    });
  }
  if (facts.guest) {
    changes.push({
      resource: 'user guest',
      action: 'destroy',
      before: 'there',
      impact: 'none',
      because: 'its password is known to all',
      commands: [deleteUser('guest')],
      // Whatever else is taken back: an account that everybody can use does not come back.
      undo: [],
    });
  }
  return changes;
}

/** Virtual hosts of the application by earlier settings; where its user is new too, they may be those of the former one. */
function formerVhosts({ user, grants }: ObjectFacts, settings: RabbitmqSettings): Left[] {
  const loss = `its queues and messages stay, and the application, which will use ${settings.vhost}, does not see them`;
  const names = grants.filter(([who]) => (user === null ? who !== 'guest' : who === settings.user)).map(([, vhost]) => vhost);
  return [...new Set(names)].map((name) => ({ kind: 'vhost', name, loss }));
}

function planUser(found: ObjectFacts['user'], { user: name, password, tags }: RabbitmqSettings, user: string): Change[] {
  const setTags = (list: readonly string[]) => `rabbit_auth_backend_internal:set_tags(${user}, [${list.map(atom).join(', ')}], ${ACTOR})`;
  if (found === null) {
    const add = joinSecret([`rabbit_auth_backend_internal:add_user(${user}, `, binary(password), `, ${ACTOR})`]);
    return [
      {
        resource: `user ${name}`,
        action: 'create',
        after: { password: '(secret)', tags },
        impact: 'none',
        because: 'there is none',
        commands: [tell(add, setTags(tags))],
        ...inTheEnd(deleteUser(name)),
      },
    ];
  }
  const changes: Change[] = [];
  if (!passwordMatches(password, found.hash, found.algorithm)) {
    changes.push({
      resource: `user ${name}`,
      action: 'update',
      before: { password: '(secret, differs)' },
      after: { password: '(secret)' },
      impact: 'none',
      because: 'the stored hash is not one of the password; connections that are open stay',
      commands: [tell(joinSecret([`rabbit_auth_backend_internal:change_password(${user}, `, binary(password), `, ${ACTOR})`]))],
      ...inTheEnd(setHash(user, found)),
    });
  }
  if ([...found.tags].sort().join() !== [...new Set<string>(tags)].sort().join()) {
    changes.push({
      resource: `user ${name}`,
      action: 'update',
      before: { tags: found.tags },
      after: { tags },
      impact: 'none',
      because: 'its tags differ from the settings',
      commands: [tell(setTags(tags))],
      ...inTheEnd(tell(setTags(found.tags))),
    });
  }
  return changes;
}

/**
 * How the running node is told to take something back: last of all, once it runs with its former files. What goes back before that might
 * find a node that these files keep from running.
 */
function inTheEnd(...commands: readonly Command[]): Required<Pick<Change, 'undo' | 'afterUndo'>> {
  return { undo: [], afterUndo: commands };
}

function deleteUser(name: string): Command {
  const user = binary(name);
  return tell(
    `case rabbit_auth_backend_internal:exists(${user}) of true -> rabbit_auth_backend_internal:delete_user(${user}, ${ACTOR}); false -> ok end`,
  );
}

/** Gives a user a password by its hash. */
function setHash(user: string, { hash, algorithm }: NonNullable<ObjectFacts['user']>): Command {
  const former = joinSecret(['base64:decode(', binary(new Secret(hash)), ')']);
  return tell(joinSecret([`rabbit_auth_backend_internal:change_password_hash(${user}, `, former, `, ${atom(algorithm)})`]));
}

/** An Erlang atom of any text. */
function atom(text: string): string {
  return `binary_to_atom(${binary(text)})`;
}

function named([configure, write, read]: Permission) {
  return { configure, write, read };
}
