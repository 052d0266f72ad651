import type { NewSecret, Starter } from '../../engine/service.ts';
import { services } from '../../services/index.ts';

/** What a new container's file begins with, beside its service. Its secrets are named after the container. */
export async function starter(service: string, container: string): Promise<Starter> {
  const known = await services[service]?.();
  const secret: NewSecret = (name) => ({ secret: `${container.toUpperCase().replaceAll('-', '_')}_${name}` });
  if (known?.starter !== undefined) return known.starter(secret, container);
  // As the template of `service.ts` has its settings.
  return { description: `${service}: a service of this workspace's own`, settings: { password: secret('PASSWORD') } };
}
