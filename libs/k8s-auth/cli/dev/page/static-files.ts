import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileOfPackage } from '../../package-files.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface StaticFile {
  readonly type: string;
  readonly body: Buffer;
}

/** In the package itself and not in its build, because browsers load these files as they are. */
const FOLDER = 'cli/dev/page/static';

/** The files of the page by their path. Read once, so no path of a request ever reaches the file system. */
export function readStaticFiles(): ReadonlyMap<string, StaticFile> {
  const folder = fileOfPackage(FOLDER);
  const files = readdirSync(folder).map((name): [string, StaticFile] => {
    const type = TYPES[extname(name)] ?? 'application/octet-stream';
    return [`/${name === 'index.html' ? '' : name}`, { type, body: readFileSync(join(folder, name)) }];
  });
  return new Map(files);
}
