/** Error codes of distribution-spec ("Error Codes"), each with the status it usually comes with. */
const statuses = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429,
} as const;

export type RefusalCode = keyof typeof statuses;

export interface RefusalOptions {
  /** Any JSON that helps the client. */
  readonly detail?: unknown;
  /** In place of the code's usual status. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why the server does not do what a client asked for, in the specification's terms. Thrown by routes, answered by {@link refused}. */
export class Refusal extends Error {
  readonly status: number;

  constructor(
    readonly code: RefusalCode,
    message: string,
    readonly options: RefusalOptions = {},
  ) {
    super(message);
    this.status = options.status ?? statuses[code];
  }
}

/** The answer that tells a client of a refusal: a JSON document with a list of one error. */
export function refused(refusal: Refusal): Response {
  const { detail, headers } = refusal.options;
  const error = { code: refusal.code, message: refusal.message, ...(detail === undefined ? {} : { detail }) };
  return Response.json({ errors: [error] }, { status: refusal.status, headers: { ...headers } });
}
