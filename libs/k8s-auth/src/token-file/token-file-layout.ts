import { lstat, readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * How a token file is mounted. `projected`: in a projected volume, where the kubelet replaces the token by swapping the
 * link `..data`. `mounted-alone`: with `subPath`, so the pod keeps the first token. `plain`: another file.
 * @internal
 */
export type TokenFileLayout = 'projected' | 'mounted-alone' | 'plain';

/**
 * @param root the directory that contains `proc/self/mountinfo`
 * @throws {Error} the file does not exist
 * @internal
 */
export async function readTokenFileLayout(file: string, root = '/'): Promise<TokenFileLayout> {
  const isLink = (await lstat(file)).isSymbolicLink();
  if (isLink && (await readlink(file)).includes('..data')) return 'projected';
  const mountInfo = await readFile(join(root, 'proc/self/mountinfo'), 'utf8').catch(() => '');
  return mountPointsOf(mountInfo).has(await realpath(file)) ? 'mounted-alone' : 'plain';
}

/** The fifth field of each line (proc(5)); it writes a space as `\040`. */
function mountPointsOf(mountInfo: string): ReadonlySet<string> {
  const points = mountInfo.split('\n').map((line) => line.split(' ')[4] ?? '');
  return new Set(
    points.map((point) =>
      point.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(parseInt(code, 8))),
    ),
  );
}
