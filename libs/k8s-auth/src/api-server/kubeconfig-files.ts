import { readFile } from 'node:fs/promises';
import { type RequestOptions } from 'node:https';
import { dirname, isAbsolute, join } from 'node:path';
import type * as ClientNode from '@kubernetes/client-node';
import { ConfigurationError } from '../errors/index.js';
import { loggable } from '../shared/log.js';

/** The current context of a kubeconfig, as client-node reads it. */
export interface LoadedKubeconfig {
  readonly cluster: ClientNode.Cluster;
  readonly user: ClientNode.User;
  /** The `tokenFile` of the user, which client-node does not know. */
  readonly tokenFile: string | undefined;
  /** The bearer token of the user: its own, or what its plugin gives and client-node keeps until it expires. */
  askForToken(): Promise<string | undefined>;
}

/**
 * Reads kubeconfig files, several merged as client-node does. Neither the text of a file nor what a parser says of it
 * gets into an error: both may hold the token.
 * @param name what the user calls them
 * @param importClientNode for specs: an optional package that is not there
 * @throws {ConfigurationError} unreadable, or without a current context
 * @internal
 */
export async function loadKubeconfig(
  files: readonly string[],
  name: string,
  importClientNode: () => Promise<typeof ClientNode> = () => import('@kubernetes/client-node'),
): Promise<LoadedKubeconfig> {
  const { KubeConfig, loadYaml } = await importOptional(importClientNode, name);
  const config = new KubeConfig();
  const tokenFiles = new Map<string, string>();
  for (const [index, file] of files.entries()) {
    const text = await readText(file, name);
    try {
      const part = index === 0 ? config : new KubeConfig();
      part.loadFromString(text);
      part.makePathsAbsolute(dirname(file));
      if (part !== config) config.mergeConfig(part);
      noteTokenFiles(loadYaml(text), dirname(file), tokenFiles);
    } catch {
      throw new ConfigurationError([`${name}: expected a kubeconfig in ${file}`]);
    }
  }
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (!cluster || !user) {
    throw new ConfigurationError([`${name}: expected a current-context with a cluster and a user`]);
  }
  const asker = new KubeConfig();
  // Without the certificates: client-node reads their files at each call, synchronously, and only the token is asked for.
  const { caFile: _ca, ...server } = cluster;
  const { certFile: _cert, keyFile: _key, ...self } = user;
  asker.loadFromClusterAndUser(server, self);
  return {
    cluster,
    user,
    tokenFile: tokenFiles.get(user.name),
    askForToken: () => askForToken(asker, name),
  };
}

/** Costs half a second and 50 MB, so only who has a kubeconfig pays. */
async function importOptional(
  importClientNode: () => Promise<typeof ClientNode>,
  name: string,
): Promise<typeof ClientNode> {
  try {
    return await importClientNode();
  } catch (cause) {
    throw new ConfigurationError(
      [`${name}: expected the package @kubernetes/client-node (1.x on Node 20), which cannot be loaded`],
      { cause },
    );
  }
}

async function readText(file: string, name: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigurationError([`${name}: expected a kubeconfig in ${file}, which cannot be read`], {
      cause,
    });
  }
}

function noteTokenFiles(document: unknown, root: string, into: Map<string, string>): void {
  const { users } = document as { users?: { name: string; user?: { tokenFile?: unknown } }[] };
  for (const { name, user } of users ?? []) {
    const file = user?.tokenFile;
    if (typeof file === 'string') into.set(name, isAbsolute(file) ? file : join(root, file));
  }
}

async function askForToken(config: ClientNode.KubeConfig, name: string): Promise<string | undefined> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    // eslint-disable-next-line preserve-caught-error -- a parser quotes what it could not parse, which may be the token
    throw new Error(`own credential cannot be had from ${name}${reasonOf(error)}`);
  }
  const { Authorization: header } = (options.headers ?? {}) as Readonly<Record<string, unknown>>;
  return typeof header === 'string' ? header.replace(/^Bearer /, '') : undefined;
}

function reasonOf(error: unknown): string {
  return error instanceof Error && !(error instanceof SyntaxError) ? `: ${loggable(error.message)}` : '';
}
