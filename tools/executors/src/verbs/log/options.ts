/** What `log` is given. */
export type LogOptions = { readonly limit: number; readonly json: boolean };
