import { readdirSync } from 'node:fs';
import { slug } from 'github-slugger';
import { defineConfig } from 'vitepress';
import { sidebar } from './sidebar.mjs';
import { STAGED } from './site-paths.mjs';

const pages = readdirSync(STAGED, { recursive: true }).filter((path) => path.endsWith('.md'));

export default defineConfig({
  title: 'nest-k8s-auth',
  description: 'Authentication between Nest services with Kubernetes ServiceAccount tokens',
  srcDir: '.vitepress/pages',
  cleanUrls: false,
  // The folder of the site, if it is not at the root of its host.
  base: process.env.DOCS_BASE ?? '/',
  markdown: {
    // The same anchors as on GitHub, so that a link works in both places.
    anchor: { slugify: slug },
    languageAlias: { gitignore: 'text' },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: sidebar(pages),
    nav: [
      { text: 'Add it', link: '/add-to-an-application' },
      { text: 'Why is my token refused?', link: '/refused-tokens' },
      { text: 'API reference', link: '/api/' },
    ],
  },
});
