import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { MANIFEST_STEP_IDS } from './manifests/manifest-step.js';
import { DOCTOR_PAGE, formatReport } from './report.format.js';
import { STEP_IDS } from './step.js';

const root = new URL('../../../../', import.meta.url);
const page = readFileSync(new URL(DOCTOR_PAGE, root), 'utf8');
const ids = [...STEP_IDS, ...MANIFEST_STEP_IDS];

describe('docs/doctor.md', () => {
  it('has an anchor for every step, and no other', () => {
    const anchors = [...page.matchAll(/^### (\S+)$/gm)].map(([, anchor]) => anchor);
    expect(anchors.sort()).toEqual([...ids].sort());
  });

  it('is where the URL of every problem leads: the repository of package.json, at the tag of the version', () => {
    const { version, repository } = JSON.parse(
      readFileSync(new URL('libs/k8s-auth/package.json', root), 'utf8'),
    ) as { version: string; repository: { url: string } };
    const repositoryUrl = repository.url.replace('git+', '').replace('.git', '');
    const lines = formatReport(ids.map((id) => ({ id, status: 'failed', message: 'Correct it.' })));
    const urls = lines.flatMap((line) => /\[(https:.*)\]$/.exec(line)?.[1] ?? []);
    expect(urls).toEqual(ids.map((id) => `${repositoryUrl}/blob/v${version}/docs/doctor.md#${id}`));
  });
});
