import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'prettier';
import { type PerformanceReport } from './json.js';
import { LARGER, ratio, resultOf } from './made-up-run.fixture.js';
import { writeDocs } from './write-docs.js';

const docs = mkdtempSync(join(tmpdir(), 'bench-docs-'));
const read = (name: string) => readFileSync(join(docs, name), 'utf8');
const BARS = ['a', 'b <b>', 'c'].map((name, index) =>
  ratio(
    `warm.ratio.${index}`,
    { median: 0.7 + index / 10, min: 0.6, max: 1 },
    { limit: LARGER, name: `no guard / ${name}` },
  ),
);

beforeEach(() => {
  cpSync(join(import.meta.dirname, '../../../docs/performance.md'), join(docs, 'performance.md'));
});
afterAll(() => rmSync(docs, { recursive: true }));

describe('the written documentation', () => {
  it('has a chart for three values of one unit, with a text alternative and the table beside it', async () => {
    await writeDocs(resultOf(BARS), docs);
    const alternative = 'Bar chart: no guard. no guard / a: 0.7 [0.6..1], goal ≥ 0.9; ';
    const svg = read('performance/warm-ratio-ratio.svg');
    expect(svg).toContain(`<title>${alternative}no guard / b &lt;b&gt;: 0.8`);
    expect(svg).toContain('>no guard (ratio)</text>');
    expect(svg).toContain('>b &lt;b&gt;</text>');
    expect(svg).toMatch(/^<svg role="img" [^>]*>\n<title>[^]*<\/svg>\n$/);
    const page = read('performance.md');
    expect(page).toContain(`![${alternative.replace(/[[\]]/g, '\\$&')}`);
    expect(page).toContain('](performance/warm-ratio-ratio.svg)');
    expect(page).toMatch(
      /\| no guard \/ a +\| 0\.7 \[0\.6\.\.1\] +\| ≥ 0\.9 +\| ≥ 0\.75 +\| gate failed +\|/,
    );
    expect(page).toContain('GATE FAILED: no guard / a: 0.7');
  });

  it('has charts that are the same for the same values, and without charts of former runs', async () => {
    await writeDocs(resultOf(BARS), docs);
    const svg = read('performance/warm-ratio-ratio.svg');
    writeFileSync(join(docs, 'performance/former.svg'), '<svg/>');
    await writeDocs(resultOf(BARS), docs);
    expect(readdirSync(join(docs, 'performance'))).toEqual(['warm-ratio-ratio.svg']);
    expect(read('performance/warm-ratio-ratio.svg')).toBe(svg);
  });

  it('is formatted as the other files of the repository', async () => {
    await writeDocs(resultOf(BARS), docs);
    const options = { singleQuote: true, trailingComma: 'all', printWidth: 110 } as const;
    const page = read('performance.md');
    expect(await format(page, { ...options, parser: 'markdown' })).toBe(page);
    const json = read('performance.json');
    expect(await format(json, { ...options, parser: 'json' })).toBe(json);
  });

  it('has the judged figures and the machine as JSON', async () => {
    await writeDocs(resultOf([ratio('warm.a', 0.8, { limit: LARGER }), ratio('warm.b', undefined)]), docs);
    const report = JSON.parse(read('performance.json')) as PerformanceReport;
    expect(report.schemaVersion).toBe(1);
    expect(report.machine).toMatchObject({ node: '20.19.0', measuredOn: '2030-01-01' });
    expect(report.sections).toEqual([
      {
        id: 'warm',
        title: 'warm requests',
        figures: [
          {
            ...{ id: 'warm.a', name: 'ratio of warm.a', unit: 'ratio', limit: LARGER },
            ...{ value: { median: 0.8, min: 0.8, max: 0.8 }, judgement: 'goal missed' },
          },
          { id: 'warm.b', name: 'ratio of warm.b', unit: 'ratio', judgement: 'not run' },
        ],
      },
    ]);
  });

  it('answers what a run costs from the figures, and says "not run" if there are none', async () => {
    const us = (id: string, median: number) => ratio(id, median, { unit: 'us' });
    const figures = [
      ...[us('warm.cpu.none', 20), us('warm.cpu.hybrid', 22.5), us('warm.cpu.kube-rbac-proxy', 300)],
      ...[us('cold.cpu.hybrid', 50), ratio('memory.tokenreview', 1_048.576, { unit: 'bytes' })],
    ];
    await writeDocs(resultOf(figures), docs);
    const page = read('performance.md').replace(/ +/g, ' ');
    expect(page).toContain('| `hybrid` | 44,400 | 20,000 |');
    expect(page).toContain('| `tokenreview` | not run | not run |');
    expect(page).toContain('| 5,000 | not run | 5 MiB |');
    expect(page).toContain('| `hybrid` | 0.0025 cores |');
    expect(page).toContain('| kube-rbac-proxy as a sidecar | 0.3 cores |');
  });
});
