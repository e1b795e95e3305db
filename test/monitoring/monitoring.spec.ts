import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/running-process.js';
import { ALERTS_FILE, alertRules, metricsIn, panelQueries, panels } from './monitoring-files.fixture.js';
import { hasPrometheus, NEEDS_PROMETHEUS, promtool } from './prometheus.fixture.js';

const page = readFileSync(join(ROOT, 'docs/alerts.md'), 'utf8');
const exported = ['gauges', 'counters', 'k8s-auth-metrics']
  .map((name) => readFileSync(join(ROOT, `libs/k8s-auth/prometheus/${name}.ts`), 'utf8'))
  .join('');
const EXPORTED = new Set([...exported.matchAll(/name: '(k8s_auth_\w+)'/g)].map(([, name]) => name));

describe('alert rules', () => {
  const rules = alertRules();

  it.each(rules.map(({ alert }) => alert))(
    '%s has a runbook in docs/alerts.md, and a row in its table',
    (alert) => {
      const anchor = alert.toLowerCase();
      const rule = rules.find((one) => one.alert === alert);
      expect(rule?.annotations.runbook_url).toBe(`docs/alerts.md#${anchor}`);
      expect(page).toMatch(new RegExp(`^## ${alert}$`, 'm'));
      expect(page).toMatch(
        new RegExp(`^\\| \\[${alert}\\]\\(#${anchor}\\) +\\| ${rule?.labels.severity} +\\|`, 'm'),
      );
    },
  );

  it('has a rule for every section of docs/alerts.md', () => {
    const sections = [...page.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
    expect(sections).toEqual(rules.map(({ alert }) => alert));
  });

  it('uses only metrics that nest-k8s-auth/prometheus exports', () => {
    const used = rules.flatMap(({ expr }) => metricsIn(expr));
    expect(used.filter((name) => !EXPORTED.has(name))).toEqual([]);
  });

  it('is tested for every alert, firing and quiet', () => {
    const tests = readFileSync(join(ROOT, 'test/monitoring/alerts.test.yaml'), 'utf8');
    for (const { alert } of rules)
      for (const kind of ['fires', 'stays quiet']) expect(tests).toContain(`name: '${alert} ${kind}'`);
  });
});

describe('the dashboard', () => {
  it('shows every metric that nest-k8s-auth/prometheus exports, and no other', () => {
    const shown = new Set(panelQueries().flatMap(({ expression }) => metricsIn(expression)));
    expect([...shown].sort()).toEqual([...EXPORTED].sort());
  });

  it('has a description and a query in each panel', () => {
    for (const { description, targets } of panels()) {
      expect(description).toMatch(/\.$/);
      expect(targets?.length).toBeGreaterThan(0);
    }
  });
});

(hasPrometheus ? describe : describe.skip)(`promtool${NEEDS_PROMETHEUS}`, () => {
  it('accepts the rules', () => {
    expect(promtool('check', 'rules', ALERTS_FILE)).toMatchObject({ status: 0 });
  });

  it('runs their unit tests', () => {
    const { status, text } = promtool('test', 'rules', 'test/monitoring/alerts.test.yaml');
    expect(text).toContain('SUCCESS');
    expect(status).toBe(0);
  });
});
