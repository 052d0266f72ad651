/** An answer of the API that is no success. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly errors: Record<string, string>;

  constructor(status: number, message: string, errors: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

/** What Perl's `die` becomes. */
export const die = (message: string): never => {
  throw new ApiFailure(500, message);
};

export const badParameter = (errors: Record<string, string>): ApiFailure => new ApiFailure(400, 'Parameter verification failed.', errors);

export const forbidden = (path: string, privileges: readonly string[]): ApiFailure =>
  new ApiFailure(403, `Permission check failed (${path}, ${privileges.join('|')})`);
