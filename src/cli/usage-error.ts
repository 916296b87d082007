/**
 * A mistake on the command line, as opposed to a failure of the work: an unknown flag, a value that a flag does not take,
 * a wrong number of arguments. It is reported with the command's usage.
 */
export class UsageError extends Error {
  override readonly name = "UsageError";

  /**
   * @param status exit status: docker's 125 for flags and their values, 1 for the number of arguments and unknown commands
   * @param brief leave the usage line out: the command line was understood and asks for what cannot be
   */
  constructor(
    message: string,
    readonly status: 1 | 125 = 125,
    readonly brief = false,
  ) {
    super(message);
  }
}

/** Ends a command with a status when everything that was to be said has been said. */
export class ExitStatus extends Error {
  override readonly name = "ExitStatus";

  constructor(readonly status: number) {
    super(`exit status ${status}`);
  }
}
