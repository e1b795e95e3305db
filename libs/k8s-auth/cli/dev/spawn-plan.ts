/** How to start a command: the arguments of `spawn`. */
export interface SpawnPlan {
  readonly file: string;
  readonly args: readonly string[];
  /** `spawn` passes `file` to the shell as it is. */
  readonly shell: boolean;
}

/**
 * One text with spaces is a line for the shell, as in `"npm run build && node dist/main.js"`. Several words are started
 * directly, except on Windows: there npm, npx and nest are `.cmd` files, which only the shell can run.
 */
export function planSpawn(command: readonly string[], platform: NodeJS.Platform): SpawnPlan {
  const [file = '', ...args] = command;
  if (args.length === 0 && /\s/.test(file)) return { file, args: [], shell: true };
  if (platform !== 'win32') return { file, args, shell: false };
  return { file: command.map(quoteForCmd).join(' '), args: [], shell: true };
}

/**
 * Quotes one argument for cmd.exe and for the program behind it, which splits its line by the rules of the C runtime:
 * backslashes are doubled before a quote, quotes are escaped, and then cmd's own characters get a caret.
 */
function quoteForCmd(argument: string): string {
  if (/^[\w./:=@,\\-]+$/.test(argument)) return argument;
  const quoted = argument.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\*)$/, '$1$1');
  return `"${quoted}"`.replace(/[()\][%!^"`<>&|;, *?]/g, '^$&');
}
