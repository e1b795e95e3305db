import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { checkManifests } from '../../libs/k8s-auth/cli/doctor/manifests/check-manifests.js';
import { readManifests } from '../../libs/k8s-auth/cli/doctor/manifests/manifest-set.js';
import { OVERLAYS, ROOT } from './rendered.fixture.js';

describe('doctor --manifests', () => {
  it.each(OVERLAYS)('finds nothing wrong in the overlay %s, and compares the audiences', async (overlay) => {
    const rendered = spawnSync('kubectl', ['kustomize', join(ROOT, 'k8s/overlays', overlay)], {
      encoding: 'utf8',
    });
    const manifests = await readManifests('-', 'default', Readable.from([rendered.stdout]));
    const route = { route: 'AppController.greet', access: 'protected', audiences: ['service2'] } as const;
    const steps = checkManifests(manifests, new Map([['service2', { routes: [route] }]]));
    expect(steps.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(steps.map(({ id }) => id)).toContain('manifest-audience');
  });
});
