import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeBlocks } from '../../docs/code-blocks.js';
import { type Cluster, ROOT } from './cluster.fixture.js';

export const OTHER_SERVICE = join(ROOT, 'test/cluster/other-service');
export const OTHER_IMAGE = 'other-service/orders:dev';

const execute = promisify(execFile);

/** The only code block of README.md in this language that contains this text. */
export function fromReadme(language: string, part: string): string {
  const found = codeBlocks('README.md', language).filter((block) => block.includes(part));
  if (found.length !== 1) throw new Error(`README.md has ${found.length} blocks with ${part}, expected one`);
  return found.join('');
}

/** The image of a service that is built outside this workspace, from README.md and the packed library. */
export async function buildOtherService(cluster: Cluster): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'orders-'));
  try {
    await cp(OTHER_SERVICE, folder, { recursive: true });
    const tarball = await pack(folder);
    const install = fromReadme('sh', 'npm install nest-k8s-auth');
    await writeFile(join(folder, 'install.sh'), install.replace(/nest-k8s-auth/, `./${tarball}`));
    await writeFile(join(folder, 'src/app.module.ts'), fromReadme('ts', 'OrdersController'));
    const client = fromReadme('ts', 'class Greeter');
    await writeFile(join(folder, 'src/client.module.ts'), `${client}\nexport { Greeter };\n`);
    await cluster.provider('build', OTHER_IMAGE, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
  await cluster.provider('load', OTHER_IMAGE);
}

/** @returns the name of the file */
async function pack(folder: string): Promise<string> {
  const command = ['pack', '--workspace', 'nest-k8s-auth', '--pack-destination', folder, '--json'];
  const { stdout } = await execute('npm', command, { cwd: ROOT });
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  if (!packed) throw new Error('npm pack created no file');
  return packed.filename;
}
