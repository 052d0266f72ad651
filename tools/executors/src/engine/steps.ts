/** The steps of a deploy of containers, in their order; each is a target of its own and an option of one executor. */
export const STEPS = ['preflight', 'snapshot', 'provision', 'configure'] as const;
export type Step = (typeof STEPS)[number];

/** The steps of an application's deploy; as {@link STEPS}. */
export const APP_STEPS = ['provision', 'configure', 'deploy'] as const;
export type AppStep = (typeof APP_STEPS)[number];
