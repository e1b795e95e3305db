// Before the library is packed: its build, and beside it the README and the licence that readers of a registry need.
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildWhatIsMissing } from './demo/build.mjs';
import { ROOT } from './demo/root.mjs';

await buildWhatIsMissing();
for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md']) {
  await copyFile(join(ROOT, file), join(ROOT, 'libs/k8s-auth', file));
}
