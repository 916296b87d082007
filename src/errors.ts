/**
 * The one error class of Galley and its tables to each outside world.
 *
 * Codes are containerd's (errdefs), which are gRPC's without the numbers. Anything unknown is
 * normalised at the edge with {@link toGalleyError}.
 */

export type ErrorCode =
  | "canceled"
  | "unknown"
  | "invalid_argument"
  | "deadline_exceeded"
  | "not_found"
  | "already_exists"
  | "permission_denied"
  | "resource_exhausted"
  | "failed_precondition"
  | "aborted"
  | "out_of_range"
  | "unimplemented"
  | "internal"
  | "unavailable"
  | "data_loss"
  | "unauthenticated";

export interface ErrorDetails {
  /** What was being done: a verb phrase such as `pull` or `mount`. */
  readonly op?: string;
  /** What it was done to: an image reference, a container name, a path, a configuration field. */
  readonly subject?: string;
  /** What the user can do about it, as one sentence or a command. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Exit status a command line must use when it is not the code's own (126 and 127 of a container command). */
  readonly exitStatus?: number;
}

/** `message` says what went wrong; {@link GalleyError.describe} joins it with operation, subject, cause and hint. */
export class GalleyError extends Error {
  override readonly name = "GalleyError";
  readonly op: string | undefined;
  readonly subject: string | undefined;
  readonly hint: string | undefined;
  /** Set later by whoever knows what the failure means to a command line. */
  exitStatus: number | undefined;
  /** Failures of the clean-up that followed this failure; they never replace it. */
  readonly cleanup: unknown[] = [];

  constructor(
    readonly code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.op = details.op;
    this.subject = details.subject;
    this.hint = details.hint;
    this.exitStatus = details.exitStatus;
  }

  /** One line for people: `op subject: message: cause (hint)`. */
  describe(): string {
    const where = [this.op, this.subject].filter(Boolean).join(" ");
    const cause = this.cause === undefined ? "" : `: ${messageOf(this.cause)}`;
    const hint = this.hint === undefined ? "" : ` (${this.hint})`;
    const cleanup = this.cleanup.map((failure) => `; then cleaning up failed: ${messageOf(failure)}`).join("");
    return `${where === "" ? "" : `${where}: `}${this.message}${cause}${cleanup}${hint}`;
  }
}

function messageOf(failure: unknown): string {
  if (failure instanceof GalleyError) return failure.describe();
  return failure instanceof Error ? failure.message : String(failure);
}

const errnoCodes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: "not_found",
  EEXIST: "already_exists",
  EACCES: "permission_denied",
  EPERM: "permission_denied",
  ENOSPC: "resource_exhausted",
  EDQUOT: "resource_exhausted",
  EMFILE: "resource_exhausted",
  ENOMEM: "resource_exhausted",
  EINVAL: "invalid_argument",
  EROFS: "failed_precondition",
  EBUSY: "failed_precondition",
  ECONNREFUSED: "unavailable",
  ETIMEDOUT: "deadline_exceeded",
  ECANCELED: "canceled",
  SQLITE_FULL: "resource_exhausted",
  SQLITE_BUSY: "unavailable",
  SQLITE_READONLY: "permission_denied",
};

/** Normalises anything thrown; system call errors keep their meaning through their errno. */
export function toGalleyError(failure: unknown, details: ErrorDetails = {}): GalleyError {
  if (failure instanceof GalleyError) return failure;
  const name = (failure as { code?: unknown } | null)?.code;
  const code = (typeof name === "string" ? errnoCodes[name] : undefined) ?? "unknown";
  return new GalleyError(code, withoutPath(messageOf(failure), details.subject), details);
}

/** What the engine says of a failed call ends with the call and its path. They are left out where the subject is that path, or what it was made of. */
function withoutPath(text: string, subject: string | undefined): string {
  const path = /, \w+ '([^']*)'$/.exec(text);
  return subject !== undefined && path?.[1]?.startsWith(subject) ? text.slice(0, path.index) : text;
}

/** As {@link toGalleyError}, but a failure that does not say what it is about is told of this operation and subject. */
export function aboutSubject(failure: unknown, op: string, subject: string): GalleyError {
  const error = toGalleyError(failure, { op, subject });
  return error.subject === undefined ? restated(error, { op, subject }) : error;
}

/** What of a failure is said anew. */
export interface Restatement {
  readonly code?: ErrorCode;
  readonly message?: string;
  readonly op: string;
  readonly subject: string;
}

/** The same failure with another operation and subject: its hint, its cause and its exit status stay. */
export function restated(error: GalleyError, { code, message, op, subject }: Restatement): GalleyError {
  const { hint, cause, exitStatus } = error;
  return new GalleyError(code ?? error.code, message ?? error.message, {
    op,
    subject,
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
    ...(exitStatus === undefined ? {} : { exitStatus }),
  });
}

/** Docker's HTTP status for each code (moby errdefs), for the API faces. */
export const httpStatus: Readonly<Record<ErrorCode, number>> = {
  canceled: 499,
  unknown: 500,
  invalid_argument: 400,
  deadline_exceeded: 504,
  not_found: 404,
  already_exists: 409,
  permission_denied: 403,
  resource_exhausted: 500,
  failed_precondition: 409,
  aborted: 409,
  out_of_range: 400,
  unimplemented: 501,
  internal: 500,
  unavailable: 503,
  data_loss: 500,
  unauthenticated: 401,
};

/** gRPC status numbers (google.rpc.Code). */
export const grpcStatus: Readonly<Record<ErrorCode, number>> = {
  canceled: 1,
  unknown: 2,
  invalid_argument: 3,
  deadline_exceeded: 4,
  not_found: 5,
  already_exists: 6,
  permission_denied: 7,
  resource_exhausted: 8,
  failed_precondition: 9,
  aborted: 10,
  out_of_range: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  data_loss: 15,
  unauthenticated: 16,
};
