/** Attempts of one request, the first included, where nobody says how many. */
export const ATTEMPTS = 5;

/** Bytes after which a connection has proved itself, so that the attempts are counted from one again. */
export const PROGRESS = 64 << 10;

/** How what may pass is tried again, where somebody says so. */
export interface Patience {
  /** How often a request is repeated. Where it is given, a registry that is not up yet is waited for as well. */
  readonly retries?: number | undefined;
  /** Seconds before each repetition. */
  readonly delay?: number | undefined;
}

/** Longest wait that a registry may ask for and get, in seconds; beyond it, failing at once is kinder. */
export const LONGEST_WAIT = 60;

/** Seconds that a `Retry-After` header asks for (RFC 9110 section 10.2.3: a number or a date), or `undefined`. */
export function retryAfter(header: string | null, now: number = Date.now()): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header);
  // Dates begin with the day of the week; other numbers are years to some parsers.
  const date = /^\s*[A-Za-z]/.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - now) / 1000));
}

/**
 * Seconds to wait before attempt `attempt` (1 is the first repetition), or `undefined` if there is to be none. Half a second,
 * doubled each time, spread by a quarter so that many clients do not come back together, or what `patience` says; what the
 * registry asks for wins.
 */
export function delayBefore(
  attempt: number,
  asked: number | undefined,
  { retries = ATTEMPTS - 1, delay }: Patience = {},
  random: number = Math.random(),
): number | undefined {
  if (attempt > retries || (asked !== undefined && asked > LONGEST_WAIT)) return undefined;
  return asked ?? delay ?? 0.5 * 2 ** (attempt - 1) * (0.75 + random / 2);
}

/** Resolves after `seconds`, or rejects with the signal's reason. */
export function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
