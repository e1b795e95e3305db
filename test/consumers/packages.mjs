import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../scripts/demo/root.mjs';
import { execute } from './execute.mjs';

/** Asks once, for a few seconds. */
export async function isRegistryReachable() {
  const options = ['--fetch-retries=0', '--fetch-timeout=10000', '--prefer-online'];
  return execute('npm', ['view', '@nestjs/common', 'version', ...options], { cwd: ROOT }).then(
    () => true,
    () => false,
  );
}

/** @returns the path of the packed library */
export async function packLibrary(folder) {
  await execute('npm', ['pack', '--workspace', 'nest-k8s-auth', '--pack-destination', folder], { cwd: ROOT });
  const [name] = (await readdir(folder)).filter((file) => file.endsWith('.tgz'));
  return join(folder, name);
}

/**
 * Installs programs from npm outside of the application, such as another version of Node or another package manager.
 * @param {string[]} packages names with versions
 * @returns the folder of their programs
 */
export async function installTools(work, packages) {
  const folder = join(work, `tools-${packages.join('-').replace(/[^\w.]+/g, '-')}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  await execute('npm', ['install', '--no-audit', '--no-fund', ...packages], { cwd: folder });
  return join(folder, 'node_modules');
}

/** The package that contains one version of Node for this machine. The package `node` would run a script to install it. */
export function nodePackage(version) {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  return { name: `node-${platform}-${process.arch}`, version };
}
