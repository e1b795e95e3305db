import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { importOptional } from '../../../src/util/optional-package.js';
import { UsageError } from '../../command.js';
import { type Fields, objectsAt, textAt } from './fields.js';

/** One Kubernetes object of the manifests. */
export interface ManifestObject {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly fields: Fields;
}

/** All objects of the rendered manifests. */
export class ManifestSet {
  constructor(private readonly objects: readonly ManifestObject[]) {}

  ofKind(...kinds: readonly string[]): readonly ManifestObject[] {
    return this.objects.filter(({ kind }) => kinds.includes(kind));
  }

  find(kind: string, namespace: string, name: string): ManifestObject | undefined {
    return this.ofKind(kind).find((one) => one.namespace === namespace && one.name === name);
  }

  /** The namespaces in which an object of this name exists. */
  namespacesOf(kind: string, name: string): readonly string[] {
    return this.ofKind(kind)
      .filter((one) => one.name === name)
      .map(({ namespace }) => namespace);
  }
}

/**
 * Reads rendered YAML: several documents, and lists of objects.
 * @param source a file, a directory with .yaml, .yml and .json files, or `-` for the standard input
 * @param namespace the namespace of objects that name none, as with `kubectl apply -n`
 * @throws {UsageError} nothing can be read, or the text is not YAML
 */
export async function readManifests(
  source: string,
  namespace: string,
  stdin: NodeJS.ReadableStream,
): Promise<ManifestSet> {
  const texts =
    source === '-' ? [['the standard input', await text(stdin)] as const] : await readFiles(source);
  const { parseAllDocuments } = await importOptional('yaml', 'doctor --manifests', () => import('yaml'));
  const objects = texts.flatMap(([name, content]) =>
    parseAllDocuments(content).flatMap((document) => {
      const [error] = document.errors;
      // The message of the parser quotes the text, which may hold a Secret.
      if (error) throw new UsageError(`${name}: line ${error.linePos?.[0].line ?? '?'} is not valid YAML.`);
      return flatten(document.toJS() as unknown, namespace);
    }),
  );
  if (objects.length === 0) throw new UsageError(`${source} holds no Kubernetes objects.`);
  return new ManifestSet(objects);
}

function flatten(value: unknown, namespace: string): ManifestObject[] {
  const fields = (value ?? {}) as Fields;
  const kind = textAt(fields, 'kind') ?? '';
  if (kind.endsWith('List')) return objectsAt(fields, 'items').flatMap((item) => flatten(item, namespace));
  const name = textAt(fields, 'metadata', 'name');
  if (kind === '' || name === undefined) return [];
  return [{ kind, name, namespace: textAt(fields, 'metadata', 'namespace') ?? namespace, fields }];
}

const MANIFEST_FILE = /\.(ya?ml|json)$/;

async function readFiles(path: string): Promise<(readonly [string, string])[]> {
  try {
    const isDirectory = (await stat(path)).isDirectory();
    const files = isDirectory
      ? (await readdir(path, { recursive: true })).map((name) => join(path, name))
      : [path];
    const wanted = isDirectory ? files.filter((file) => MANIFEST_FILE.test(file)).sort() : files;
    return await Promise.all(wanted.map(async (file) => [file, await readFile(file, 'utf8')] as const));
  } catch (error) {
    const { code = 'unknown error' } = error as { readonly code?: string };
    throw new UsageError(`${path} cannot be read (${code}).`);
  }
}
