import { didYouMean } from '../src/util/did-you-mean.js';
import { type CommandEntry, EXIT, UsageError } from './command.js';
import { commands } from './commands.js';
import { writeError, writeLine } from './output.js';

const HELP_OPTIONS = ['--help', '-h'];

/**
 * Runs one command of the command line.
 * @param args the arguments after `nest-k8s-auth`
 * @returns the exit status: 0 success, 1 failure, 2 wrong arguments
 */
export async function runCommandLine(args: readonly string[], list = commands): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || HELP_OPTIONS.includes(name)) {
    return printHelp(rest[0], list);
  }
  const entry = list.find((candidate) => candidate.name === name);
  if (!entry) return refuse(`there is no command '${name}'.${didYouMean(name, namesOf(list))}`);
  if (isHelpWanted(rest)) return printHelp(name, list);
  try {
    const { run } = await entry.load();
    return await run(rest);
  } catch (error) {
    if (error instanceof UsageError) return refuse(error.message, name);
    writeError(`nest-k8s-auth ${name}: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT.failure;
  }
}

/** Options after `--` belong to another program. */
function isHelpWanted(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? args.length : end).some((argument) => HELP_OPTIONS.includes(argument));
}

async function printHelp(name: string | undefined, list: readonly CommandEntry[]): Promise<number> {
  const entry = list.find((candidate) => candidate.name === name);
  writeLine(entry ? (await entry.load()).help.trim() : overview(list));
  return EXIT.ok;
}

function overview(list: readonly CommandEntry[]): string {
  const width = Math.max(...namesOf(list).map((name) => name.length));
  const lines = list.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    'Usage: npx nest-k8s-auth <command> [options]',
    '',
    ...lines,
    '',
    'npx nest-k8s-auth <command> --help shows the options of a command.',
  ].join('\n');
}

function refuse(message: string, name = ''): number {
  const command = ['nest-k8s-auth', name].filter(Boolean).join(' ');
  writeError(`${command}: ${message}\nnpx ${command} --help shows what is possible.`);
  return EXIT.usage;
}

function namesOf(list: readonly CommandEntry[]): string[] {
  return list.map(({ name }) => name);
}
