/** What a command's module exports. */
export interface CommandModule {
  /** Printed by `--help`: usage, options with their defaults, exit status. */
  readonly help: string;
  /**
   * @param args the arguments after the command's name; `--help` is already handled
   * @returns the exit status
   * @throws {UsageError} the arguments are wrong
   */
  readonly run: (args: readonly string[]) => Promise<number>;
}

/** One line of the list of commands. */
export interface CommandEntry {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** The exit status of every command. */
export const EXIT = {
  ok: 0,
  /** The command ran, and found a problem or failed. */
  failure: 1,
  /** The arguments are wrong; nothing ran. */
  usage: 2,
} as const;

/** The arguments are wrong. The message is printed as it is, with a hint to `--help`. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
