import { expect, test } from 'vitest';
import { newIdentity } from './age.ts';
import { parseRecipients } from './recipients.ts';

const ann = await newIdentity();
const parse = async (text: string) => {
  const { recipients, problems } = await parseRecipients(text, 'team.recipients');
  return { recipients, problems: problems.map(({ message }) => message) };
};

test('public keys, one in a line; comments say whose', async () => {
  const { recipient } = await newIdentity();
  expect(await parse(`# Ann\r\n${ann.recipient}\r\n\n  ${recipient}  \n`)).toEqual({
    recipients: [ann.recipient, recipient],
    problems: [],
  });
});

test('what is none is told by its line', async () => {
  const ssh = `ssh-ed25519 ${'A'.repeat(68)} ann`;
  expect((await parse(`${ann.recipient}\n${ssh}\n${ann.recipient.slice(0, -1)}\n${ann.recipient}\n`)).problems).toEqual([
    'team.recipients:2: found "ssh-ed25519 AAAAAAA…"; expected a public key of age',
    `team.recipients:3: found "${ann.recipient.slice(0, 19)}…"; expected a public key of age`,
    'team.recipients:4: this key is there already',
  ]);
  expect((await parse('# nobody\n')).problems).toEqual(['team.recipients has no public key in it']);
});

test('a private key is the worst mistake: it is told, and never shown', async () => {
  const { problems } = await parse(`${ann.identity.reveal()}\n`);
  expect(problems[0]).toContain('team.recipients:1: this is a private key');
  expect(problems.join()).not.toContain(ann.identity.reveal().slice(16));
});
