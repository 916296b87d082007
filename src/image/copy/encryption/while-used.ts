/**
 * Something that is costly to have, made when it is first wanted and closed when nobody uses it any more: those who use it at the same time share it.
 * @param make a failure is told to all who wait for it, and the next one tries again
 */
export function whileUsed<T extends { close(): void }>(
  make: () => Promise<T>,
): <Result>(use: (it: T) => Promise<Result>) => Promise<Result> {
  let current: Promise<T> | undefined;
  let users = 0;
  return async (use) => {
    current ??= make();
    const mine = current;
    users++;
    try {
      return await use(await mine);
    } finally {
      users--;
      if (users === 0) {
        current = undefined;
        (await mine.catch(() => undefined))?.close();
      }
    }
  };
}
