/** What `verify` is given. */
export type VerifyOptions = { readonly json: boolean };
