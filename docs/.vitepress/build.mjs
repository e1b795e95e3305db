// Builds the documentation site into docs/.vitepress/dist: pages, API reference, search, Markdown of every page, llms.txt.
// Fails on a docstring that links to nothing, on a dead link and on a missing anchor.
import { join } from 'node:path';
import { Application, OptionDefaults } from 'typedoc';
import { build } from 'vitepress';
import { findDeadLinks } from './check-site.mjs';
import { OUTPUT, ROOT, STAGED } from './site-paths.mjs';
import { stagePages } from './stage-pages.mjs';
import { writePlainPages } from './write-plain-pages.mjs';

// TypeDoc names an entry after its folder.
const ENTRY_NAMES = { src: 'nest-k8s-auth', testing: 'nest-k8s-auth/testing' };

// A build that hangs is a failure; the limit is far above what a slow machine needs.
const MAX_BUILD_MS = 10 * 60_000;
setTimeout(() => {
  console.error(`the site was not built within ${MAX_BUILD_MS / 1000} s`);
  process.exit(1);
}, MAX_BUILD_MS).unref();

await stagePages();
await writeApiReference();
await build(join(import.meta.dirname, '..'));
const { default: config } = await import('./config.mjs');
await writePlainPages(config);
const deadLinks = findDeadLinks(OUTPUT, config.base);
if (deadLinks.length > 0) {
  console.error(`dead links:\n  ${deadLinks.join('\n  ')}`);
  process.exitCode = 1;
}

async function writeApiReference() {
  const library = join(ROOT, 'libs/k8s-auth');
  const application = await Application.bootstrapWithPlugins({
    name: 'API reference',
    entryPoints: [join(library, 'src/index.ts'), join(library, 'testing/index.ts')],
    tsconfig: join(library, 'tsconfig.lib.json'),
    plugin: ['typedoc-plugin-markdown'],
    readme: 'none',
    entryFileName: 'index',
    excludeInternal: true,
    excludeTags: ['@publicApi'],
    excludePrivate: true,
    excludeExternals: true,
    disableSources: true,
    hidePageHeader: true,
    blockTags: [...OptionDefaults.blockTags, '@minimum', '@maximum'],
    modifierTags: [...OptionDefaults.modifierTags, '@publicApi'],
    // Types that only occur inside of public ones need no page.
    validation: { invalidLink: true, notExported: false },
    logLevel: 'Warn',
    outputs: [{ name: 'markdown', path: join(STAGED, 'api') }],
  });
  const project = await application.convert();
  if (project === undefined) throw new Error('the API reference cannot be built: the sources do not compile');
  for (const entry of project.children ?? []) entry.name = ENTRY_NAMES[entry.name] ?? entry.name;
  application.validate(project);
  if (application.logger.hasErrors() || application.logger.hasWarnings()) {
    throw new Error('the API reference has the warnings above');
  }
  await application.generateOutputs(project);
}
