import { loadAllYaml } from '@kubernetes/client-node';
import { describe, expect, it } from '@jest/globals';
import { type PodSpec } from '../manifests/rendered.fixture.js';
import { installCommand, volumesFromReadme } from '../cluster/support/other-service.fixture.js';
import { codeBlocks, PAGES } from './code-blocks.js';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly template: { readonly spec: PodSpec } };
}

/** The configuration of an OpenTelemetry Collector is not a manifest. */
const isManifest = (document: object) => !('processors' in document);

const manifests = PAGES.filter((page) => page !== 'docs/tutorial.md').flatMap((page) =>
  codeBlocks(page, 'yaml').flatMap((block) =>
    (loadAllYaml(block) as Manifest[]).filter(isManifest).map((manifest) => ({
      page,
      code: codeBlocks(page, 'ts').join('\n'),
      name: `${manifest.kind} ${manifest.metadata?.name}`,
      manifest,
    })),
  ),
);
const deployments = manifests.filter(({ manifest }) => manifest.kind === 'Deployment');

describe('manifests of the documentation', () => {
  it.each(manifests)('$name of $page is a complete object', ({ manifest }) => {
    expect(manifest).toMatchObject({
      apiVersion: expect.any(String),
      kind: expect.any(String),
      metadata: { name: expect.any(String) },
    });
  });

  it('include a Deployment in README.md and in docs/add-to-an-application.md', () => {
    const pages = deployments.map(({ page }) => page);
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/add-to-an-application.md']));
  });

  it.each(deployments)(
    '$name of $page mounts each token at the path that the code of the page reads',
    (one) => {
      const { containers, volumes = [] } = one.manifest.spec?.template.spec ?? { containers: [undefined] };
      const mounts = containers[0]?.volumeMounts ?? [];
      expect(mounts.map(({ name }) => name).sort()).toEqual(volumes.map(({ name }) => name).sort());
      const tokens = volumes.flatMap(({ name, projected }) =>
        (projected?.sources ?? []).map(({ serviceAccountToken: { path, audience } }) => ({
          tokenFile: `${mounts.find((mount) => mount.name === name)?.mountPath}/${path}`,
          audience,
        })),
      );
      expect(tokens).toHaveLength(1);
      for (const { tokenFile, audience } of tokens) {
        expect(one.code).toMatch(new RegExp(`tokenFile: '${tokenFile}',\\s*audience: '${audience}'`));
      }
    },
  );
});

describe('the service of test/cluster', () => {
  it('installs the packed library with the command of README.md for Nest 12', () => {
    expect(installCommand('packed.tgz')).toMatch(
      /^npm install \.\/packed\.tgz [^@]*@nestjs\/axios [^@]*@nestjs/,
    );
  });

  it('mounts the volumes of README.md', () => {
    expect(loadAllYaml(volumesFromReadme())).toEqual([
      { volumes: [expect.objectContaining({ name: 'tokens' })] },
    ]);
  });
});
