import { loadYaml } from '@kubernetes/client-node';
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
    await writeFile(join(folder, 'install.sh'), installCommand(tarball));
    await writeFile(join(folder, 'src/app.module.ts'), fromReadme('ts', 'OrdersController'));
    const client = fromReadme('ts', 'class Greeter');
    await writeFile(join(folder, 'src/client.module.ts'), `${client}\nexport { Greeter };\n`);
    await cluster.provider('build', OTHER_IMAGE, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
  await cluster.provider('load', OTHER_IMAGE);
}

/** README's command for Nest 12, with this file in place of the one that it names. */
export function installCommand(tarball: string): string {
  const lines = fromReadme('sh', 'npm install ./').split('\n');
  const [command, ...others] = lines.filter((line) => /^npm install .*\bNest 12\b/.test(line));
  if (command === undefined || others.length > 0)
    throw new Error('README.md does not have one install command for Nest 12');
  return command.replace(/\S+\.tgz/, `./${tarball}`);
}

/** `volumes` of the Deployment in README.md, as one line of YAML. */
export function volumesFromReadme(): string {
  const { spec } = loadYaml<{ spec: { template: { spec: { volumes: unknown } } } }>(
    fromReadme('yaml', 'serviceAccountToken'),
  );
  return `volumes: ${JSON.stringify(spec.template.spec.volumes)}`;
}

/** @returns the name of the file */
async function pack(folder: string): Promise<string> {
  const command = ['pack', '--workspace', 'nest-k8s-auth', '--pack-destination', folder, '--json'];
  const { stdout } = await execute('npm', command, { cwd: ROOT });
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  if (!packed) throw new Error('npm pack created no file');
  return packed.filename;
}
