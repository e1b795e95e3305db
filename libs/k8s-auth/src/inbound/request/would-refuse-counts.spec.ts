import { describe, expect, it } from '@jest/globals';
import { K8sAuthWouldRefuseCounts } from './would-refuse-counts.js';

const CODE = 'ERR_K8S_AUTH_TOKEN_MISSING';

describe('K8sAuthWouldRefuseCounts', () => {
  it('counts for each route and code', () => {
    const counts = new K8sAuthWouldRefuseCounts();
    counts.add('GET /orders', CODE);
    counts.add('GET /orders', CODE);
    counts.add('GET /orders', 'ERR_K8S_AUTH_TOKEN_EXPIRED');
    expect(counts.list()).toEqual([
      { route: 'GET /orders', code: CODE, count: 2 },
      { route: 'GET /orders', code: 'ERR_K8S_AUTH_TOKEN_EXPIRED', count: 1 },
    ]);
  });

  it('adds further routes to one common entry once it has 1000, and still counts the known ones', () => {
    const counts = new K8sAuthWouldRefuseCounts();
    for (let index = 0; index < 1_500; index++) counts.add(`GET /${index}`, CODE);
    counts.add('GET /999', CODE);
    counts.add('GET /1000', CODE);
    const list = counts.list();
    expect(list).toHaveLength(1_001);
    expect(list.at(999)).toEqual({ route: 'GET /999', code: CODE, count: 2 });
    expect(list.at(1_000)).toEqual({ route: '(other routes)', code: '(other codes)', count: 501 });
  });
});
