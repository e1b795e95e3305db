import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from './command.js';
import { didYouMean } from '../src/util/did-you-mean.js';

type OptionsConfig = NonNullable<ParseArgsConfig['options']>;

/** The values of these options, each with the type that its declaration states. */
export type OptionValues<T extends OptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: T; strict: true; allowPositionals: false }>
>['values'];

/**
 * Splits `[options] [--] command…`. The command starts after `--`, or at the first word that is not an option:
 * PowerShell removes `--` from the arguments of `npx`.
 */
export function splitCommand(
  args: readonly string[],
  options: OptionsConfig,
): { readonly own: readonly string[]; readonly command: readonly string[] } {
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const start = tokens.find(({ kind }) => kind !== 'option');
  if (!start) return { own: args, command: [] };
  const own = args.slice(0, start.index);
  return { own, command: args.slice(start.kind === 'positional' ? start.index : start.index + 1) };
}

/** `parseArgs` without positional arguments. @throws {UsageError} which suggests the similar option */
export function parseOptions<T extends OptionsConfig>(args: readonly string[], options: T): OptionValues<T> {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const [, unknown] = /^Unknown option '(-[^']+)'/.exec(message) ?? [];
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && unknown !== undefined) {
      const names = Object.keys(options).map((name) => `--${name}`);
      throw new UsageError(`there is no option '${unknown}'.${didYouMean(unknown, names)}`);
    }
    throw new UsageError(message);
  }
}
