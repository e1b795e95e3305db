import { loadYaml } from '@kubernetes/client-node';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/running-process.js';

const FOLDER = 'k8s/components/monitoring';
const read = (file: string) => readFileSync(join(ROOT, FOLDER, file), 'utf8');

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}

export const ALERTS_FILE = `${FOLDER}/alerts.yaml`;

export function alertRules(): readonly AlertRule[] {
  const { groups } = loadYaml<{ groups: { rules: AlertRule[] }[] }>(read('alerts.yaml'));
  return groups.flatMap(({ rules }) => rules);
}

export interface PanelQuery {
  readonly panel: string;
  /** As in the file. */
  readonly expression: string;
  /** With values for the variables of the dashboard. */
  readonly resolved: string;
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string }[];
}

export function panels(): readonly Panel[] {
  const { panels: all } = JSON.parse(read('dashboard.json')) as { panels: Panel[] };
  return all.filter(({ type }) => type !== 'row');
}

export function panelQueries(): readonly PanelQuery[] {
  return panels().flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      panel: title,
      expression: expr,
      resolved: expr.replaceAll('$job', '.*').replaceAll('$__rate_interval', '1m'),
    })),
  );
}

/** The names of our metrics in an expression, without the suffixes of histograms. */
export function metricsIn(expression: string): string[] {
  return [...expression.matchAll(/\bk8s_auth_\w+/g)].map(([name]) =>
    name.replace(/_(bucket|sum|count)$/, ''),
  );
}
