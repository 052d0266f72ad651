import { ageSource } from './age-file.ts';
import { commandSource } from './command.ts';
import { envFileSource } from './env-file.ts';
import type { SecretSource, SecretsOf, SourceContext } from './types.ts';

/** The source that the environment's file chooses. */
export function sourceOf(environment: SecretsOf, context: SourceContext): SecretSource {
  const { secrets, name } = environment;
  switch (secrets.provider) {
    case 'file':
      return envFileSource(context.root, name);
    case 'age':
      return ageSource(name, secrets, context);
    case 'command':
      return commandSource(name, secrets, context);
  }
}
