import { join } from 'node:path';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../..');
/** A file here would import Nest 11. */
const NEST_11 = join(ROOT, 'test/nest-11/example.ts');

/** Reads the workspace's own compiler options: what compiles here compiles in the editor too. */
function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  return { ...options, noEmit: true, noUnusedLocals: false };
}

/**
 * Type-checks sources that need not exist as files.
 * @param sources path, relative to the repository, to text
 * @param types packages whose global declarations the sources use, besides those of tsconfig.json
 * @param nest which Nest the sources import: 12 is the one of the workspace
 * @returns one line per error, as `path:line message`
 */
export function compile(
  sources: Readonly<Record<string, string>>,
  types: readonly string[] = [],
  nest: 11 | 12 = 12,
): string[] {
  const ours = compilerOptions();
  const options = { ...ours, types: [...(ours.types ?? []), ...types] };
  const texts = new Map(Object.entries(sources).map(([path, text]) => [join(ROOT, path), text]));
  const host = ts.createCompilerHost(options);
  const original = ts.createCompilerHost(options);
  const cache = ts.createModuleResolutionCache(ROOT, (name) => name, options);
  host.readFile = (path) => texts.get(path) ?? original.readFile(path);
  host.fileExists = (path) => texts.has(path) || original.fileExists(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = texts.get(path);
    return text === undefined
      ? original.getSourceFile(path, version, ...rest)
      : ts.createSourceFile(path, text, version);
  };
  if (nest === 11) {
    host.resolveModuleNameLiterals = (literals, from, redirected, compilerOptions, sourceFile) =>
      literals.map((literal) => {
        const mode = ts.getModeForUsageLocation(sourceFile, literal, compilerOptions);
        const importer = literal.text.startsWith('@nestjs/') ? NEST_11 : from;
        return ts.resolveModuleName(literal.text, importer, compilerOptions, host, cache, redirected, mode);
      });
  }
  const program = ts.createProgram([...texts.keys()], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => !file || texts.has(file.fileName))
    .map((diagnostic) => describe(diagnostic));
}

function describe({ file, start, messageText }: ts.Diagnostic): string {
  const message = ts.flattenDiagnosticMessageText(messageText, ' ');
  if (!file || start === undefined) return message;
  const { line } = file.getLineAndCharacterOfPosition(start);
  return `${file.fileName.slice(ROOT.length + 1)}:${line + 1} ${message}`;
}
