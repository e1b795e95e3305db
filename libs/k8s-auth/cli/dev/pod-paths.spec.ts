import { describe, expect, it } from '@jest/globals';
import { type ServiceOptions } from './dev.options.js';
import { hostNamesOf, podContents, tokenFilesOf } from './pod-paths.js';

function service(name: string, more: Partial<ServiceOptions> = {}): ServiceOptions {
  return {
    ...{ identity: { namespace: 'shop', name }, audience: name, verifier: 'hybrid' },
    ...{ command: [], destinations: [], port: 3000, environment: {}, ...more },
  };
}

describe('tokenFilesOf', () => {
  it('has a token for each other service that receives calls', () => {
    const [orders, billing] = [service('orders'), service('billing')];
    expect(tokenFilesOf(orders, [orders, billing, service('job', { verifier: undefined })])).toEqual([
      { path: '/var/run/secrets/tokens/billing', audience: 'billing' },
    ]);
  });

  it('has a token for each destination and for each option, each audience once', () => {
    const tokenFiles = [{ path: '/tokens/stock', audience: 'stock' }];
    const destinations = ['billing', 'https://no-file.name'].map((audience) => ({
      ...{ origin: 'http://billing.shop.svc', audience },
    }));
    const orders = service('orders', { destinations, tokenFiles });
    expect(tokenFilesOf(orders, [orders, service('billing')])).toEqual([
      { path: '/var/run/secrets/tokens/billing', audience: 'billing' },
      { path: '/tokens/stock', audience: 'stock' },
    ]);
  });
});

it('podContents has the paths of the token files and the names of all services', () => {
  const job = service('job', { verifier: undefined });
  const { tokenFiles, hostNames } = podContents(job, [job, service('billing')]);
  expect(tokenFiles).toEqual(['/var/run/secrets/tokens/billing']);
  expect(hostNames).toEqual(expect.arrayContaining(['job', 'billing', 'billing.shop.svc']));
});

describe('hostNamesOf', () => {
  const billing = { namespace: 'shop', name: 'billing' };
  const names = ['billing.shop', 'billing.shop.svc', 'billing.shop.svc.cluster.local'];

  it('has the short name only in the same namespace', () => {
    expect(hostNamesOf(billing, 'shop')).toEqual(['billing', ...names]);
    expect(hostNamesOf(billing, 'other')).toEqual(names);
  });

  it('has no name for a ServiceAccount that cannot be the name of a Service', () => {
    expect(hostNamesOf({ namespace: 'com', name: 'www.example' }, 'shop')).toEqual([]);
  });
});
