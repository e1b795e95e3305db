import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { verifierKinds } from '../../src/verifiers/index.js';
import { ACTION_GROUPS, type ActionTargets, devActions, findByKey, keyLines } from './actions.js';
import { DevCluster } from './dev-cluster.js';

const done = () => Promise.resolve();

describe('devActions', () => {
  let cluster: DevCluster;
  let targets: ActionTargets;

  beforeAll(async () => {
    const service = { namespace: 'shop', name: 'orders' };
    const options = {
      services: [
        {
          ...{
            command: ['true'],
            identity: service,
            audience: 'orders',
            verifier: 'hybrid',
            destinations: [],
          },
          ...{ port: 1, environment: {} },
        },
      ],
      ...{
        callers: [{ namespace: 'shop', name: 'checkout' }],
        isVerbose: false,
        environment: {},
        alsoSet: [],
      },
    };
    cluster = await DevCluster.start(options, { log: () => undefined, verifiers: () => [] });
    targets = {
      cluster,
      send: ({ what }) => Promise.resolve(what),
      session: { restart: done, restartCallers: done, useVerifier: done, quit: () => undefined },
      ...{ verifier: 'hybrid', verifiers: verifierKinds, refusingPath: '/admin' },
    };
  });
  afterAll(() => cluster.close());

  it('gives each action an id of its own, and each key one action', () => {
    const actions = devActions(targets);
    const ids = actions.map(({ id }) => id);
    const keys = actions.flatMap(({ key }) => key ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(keys).size).toBe(keys.length);
    for (const id of ids) expect(id).toMatch(/^[a-z-]+$/);
    for (const key of keys) expect(findByKey(actions, key)?.key).toBe(key);
    expect(findByKey(actions, 'toString')).toBeUndefined();
  });

  it('has a button for each verifier, of which one is chosen', () => {
    const shown = devActions(targets).filter(
      ({ group, isOnPage }) => group === 'verifier' && isOnPage !== false,
    );
    expect(shown.map(({ label }) => label)).toEqual(verifierKinds);
    expect(shown.filter(({ isChosen }) => isChosen).map(({ label }) => label)).toEqual(['hybrid']);
  });

  it('goes through every verifier with one key', () => {
    const chosen: string[] = [];
    const session = {
      ...targets.session,
      useVerifier: (kind: string) => Promise.resolve(void chosen.push(kind)),
    };
    for (const verifier of verifierKinds)
      void findByKey(devActions({ ...targets, session, verifier }), 'v')?.run();
    expect([...chosen].sort()).toEqual([...verifierKinds].sort());
  });

  it('has no calls and no callers without a service that receives calls', () => {
    const groups = new Set(devActions({ ...targets, verifier: undefined }).map(({ group }) => group));
    expect([...groups].sort()).toEqual(['caller', 'cluster', 'keys', 'session']);
  });

  it('prints each key once, and adds "with Enter" without a terminal', () => {
    const lines = keyLines(devActions(targets), false).join('\n');
    for (const { key, label } of devActions(targets)) {
      const text = `${key} ${label.charAt(0).toLowerCase()}${label.slice(1)}`;
      expect(key === undefined || lines.split(text).length === 2).toBe(true);
    }
    expect(lines).toMatch(/^to send a call: c valid token, .*\nhere: .* \(each with Enter\)$/);
  });

  it.each(['docs/live-page.md', 'docs/developing.md'])('is described in %s, key by key', (page) => {
    const text = readFileSync(new URL(`../../../../${page}`, import.meta.url), 'utf8');
    const keys = devActions(targets).flatMap(({ key }) => key ?? []);
    // Only an application with such a route has this key.
    const isOptional = (key: string) => page === 'docs/developing.md' && key === 'l';
    expect(keys.filter((key) => !text.includes(`\`${key}\``) && !isOptional(key))).toEqual([]);
  });

  it('names every group', () => {
    for (const { group } of devActions(targets)) expect(ACTION_GROUPS[group]).toMatch(/^[A-Z]/);
  });
});
