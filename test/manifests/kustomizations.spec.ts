import { loadYaml } from '@kubernetes/client-node';
import { describe, expect, it } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { OVERLAYS, readSource, ROOT } from './rendered.fixture.js';

const DEPRECATED = [
  'bases',
  'commonLabels',
  'helmChartInflationGenerator',
  'imageTags',
  'patchesJson6902',
  'patchesStrategicMerge',
  'vars',
];

interface Kustomization {
  readonly components?: readonly string[];
  readonly namespace?: string;
}

const files = readdirSync(join(ROOT, 'k8s'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('kustomization.yaml'))
  .map((path) => `k8s/${path}`);
const read = (path: string) => loadYaml<Kustomization>(readSource(path));

describe('kustomizations', () => {
  it.each(files)('%s uses no deprecated field', (path) => {
    expect(Object.keys(read(path)).filter((field) => DEPRECATED.includes(field))).toEqual([]);
  });

  it.each(OVERLAYS)('overlay %s has ten lines or fewer', (overlay) => {
    const lines = readSource(`k8s/overlays/${overlay}/kustomization.yaml`).trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(10);
  });

  it('only overlays name a namespace, and objects none', () => {
    const named = files.filter((path) => read(path).namespace !== undefined);
    expect(named).toEqual(files.filter((path) => path.startsWith('k8s/overlays/')));
    const sources = readdirSync(join(ROOT, 'k8s'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.yaml') && path !== 'base/namespace.yaml')
      .filter((path) => /mytest/.test(readSource(`k8s/${path}`).replace(/^namespace: mytest$/m, '')));
    expect(sources).toEqual([]);
  });

  it('has no component that no overlay uses', () => {
    const used = OVERLAYS.flatMap(
      (overlay) => read(`k8s/overlays/${overlay}/kustomization.yaml`).components ?? [],
    ).map((path) => path.replace('../../components/', ''));
    expect([...new Set(used)].sort()).toEqual(readdirSync(join(ROOT, 'k8s/components')).sort());
  });
});
