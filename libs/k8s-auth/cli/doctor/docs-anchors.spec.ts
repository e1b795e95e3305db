import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { MANIFEST_STEP_IDS } from './manifests/manifest-step.js';
import { STEP_IDS } from './step.js';

const page = readFileSync(new URL('../../../../docs/doctor.md', import.meta.url), 'utf8');

describe('docs/doctor.md', () => {
  it('has an anchor for every step, and no other', () => {
    const anchors = [...page.matchAll(/^### (\S+)$/gm)].map(([, anchor]) => anchor);
    expect(anchors.sort()).toEqual([...STEP_IDS, ...MANIFEST_STEP_IDS].sort());
  });
});
