import { type CodeBlock, PAGES, readBlocks, readPage } from './code-blocks.js';

/** Pages with shell blocks. `npm run test:tutorial` runs every block of the tutorial. */
const SHELL_PAGES = [...PAGES, 'k8s/README.md'].filter((page) => page !== 'docs/tutorial.md');

export interface ShellBlock extends CodeBlock {
  readonly page: string;
}

export const shellBlocks: readonly ShellBlock[] = SHELL_PAGES.flatMap((page) =>
  readBlocks(readPage(page))
    .filter(({ language }) => ['sh', 'bash', 'shell'].includes(language))
    .map((block) => ({ ...block, page })),
);

/** Blocks that shell-blocks.spec.ts runs, by the beginning of their first line, and what they print. */
export const RUN_HERE: Readonly<Record<string, RegExp>> = {
  'kubectl --namespace shop exec deployment/checkout -- cat /var/run/secrets/tokens/orders | cut -d . -f 2':
    /^\{"aud":\["orders"\],.*"sub":"system:serviceaccount:shop:checkout"\}\n$/,
  'kubectl --namespace shop exec deployment/checkout -- cat /var/run/secrets/tokens/orders | cut -d . -f 1':
    /^(\S+)\n\1\n$/,
  'kubectl get --raw /.well-known/openid-configuration | node':
    /^https:\/\/kubernetes\.default\.svc\.cluster\.local\n$/,
  'kubectl --namespace shop create token checkout --audience orders': /^ey\S+\s*$/,
};

const NEEDS_PODS = 'needs pods, which the stand-in does not have';
const NEEDS_IMPERSONATION = 'impersonates a user, which the stand-in refuses';

/** Blocks that are not run here, by the beginning of their first line, and the reason. */
export const NOT_RUN_HERE: Readonly<Record<string, string>> = {
  'npm ci && npm start ': 'test/start runs npm start; npm test is what runs now',
  'npm ci && npm pack --workspace nest-k8s-auth': 'test/release packs and installs the library',
  'npm install --save-dev @peculiar/x509':
    'needs a registry; test/release checks that the library loads without both packages',
  'npx nest-k8s-auth ': 'the specs of the command line run it',
  'npm run images': 'needs Docker; .ci/run builds the images if it can',
  'docker build ': 'needs Docker; .ci/run builds the images if it can',
  'kubectl --namespace mytest logs ': 'needs pods; test/cluster reads this log',
  'kubectl get --raw /openid/v1/jwks | node scripts/public-keys.mjs': 'test/manifests runs it',
  'kubectl --namespace mytest annotate ': 'needs pods; test/cluster runs it',
  'kubectl --namespace mytest set env ': 'needs pods; test/cluster runs it',
  'kubectl --namespace mytest delete pods ': 'needs pods; test/cluster deletes them',
  'kubectl --namespace shop rollout status ': NEEDS_PODS,
  'kubectl --namespace shop logs ': NEEDS_PODS,
  'kubectl --namespace shop get deployment ': NEEDS_PODS,
  'kubectl --namespace shop exec deployment/checkout -- ls ': NEEDS_PODS,
  'kubectl auth can-i ': NEEDS_IMPERSONATION,
  'kubectl get --raw /openid/v1/jwks --as=': NEEDS_IMPERSONATION,
};

/** The entries of a table that name the first line of a block. */
export function entriesFor({ text }: CodeBlock, table: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(table).filter((beginning) => text.startsWith(beginning));
}
