import { GalleyError } from "../../errors.ts";
import { ExitStatus } from "../usage-error.ts";

const numbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/**
 * Does work that a signal ends in good order: what is half written is removed. The exit status is then 128 and the signal's
 * number. With `timeout` (nanoseconds) the work ends by itself.
 */
export async function untilInterrupted<T>(
  work: (signal: AbortSignal) => Promise<T>,
  timeout: number | undefined,
): Promise<T> {
  const controller = new AbortController();
  let by: keyof typeof numbers | undefined;
  const handlers = Object.keys(numbers).map((name) => {
    const handler = () => {
      by = name as keyof typeof numbers;
      controller.abort(new GalleyError("canceled", "interrupted"));
    };
    process.once(name, handler);
    return () => process.off(name, handler);
  });
  const timer =
    timeout === undefined || timeout <= 0
      ? undefined
      : setTimeout(() => controller.abort(new GalleyError("deadline_exceeded", "the time is over")), timeout / 1e6);
  try {
    return await work(controller.signal);
  } catch (failure) {
    throw by === undefined ? failure : new ExitStatus(128 + numbers[by]);
  } finally {
    clearTimeout(timer);
    for (const remove of handlers) remove();
  }
}
