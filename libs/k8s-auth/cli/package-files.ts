import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A file that the package contains beside its build. @param path relative to the package */
export function fileOfPackage(path: string): string {
  return join(dirname(createRequire(import.meta.url).resolve('nest-k8s-auth/package.json')), path);
}

/**
 * The URL of a page of the repository in the version of this package, which does not contain the page. The release writes
 * the repository into package.json. Links of README.md get the same URL when the library is packed.
 * @param path relative to the repository
 */
export function urlOfPage(path: string): string {
  const { version, repository } = JSON.parse(readFileSync(fileOfPackage('package.json'), 'utf8')) as {
    readonly version: string;
    readonly repository: { readonly url: string };
  };
  const home = repository.url.replace(/^git\+/, '').replace(/\.git$/, '');
  return `${home}/blob/v${version}/${path}`;
}
