import { describe, expect, it } from '@jest/globals';
import { locateJwks } from './issuer.key-source.js';

describe('locateJwks', () => {
  // Several clusters on one host, like the public issuers of cloud providers.
  it.each([
    ['https://issuer.example', 'https://issuer.example/keys?v=1', 'https://issuer.example/keys?v=1'],
    ['https://issuer.example', 'https://ISSUER.example:443/keys', 'https://issuer.example/keys'],
    ['https://issuer.example', 'https://user:secret@issuer.example/keys#x', 'https://issuer.example/keys'],
    ['https://issuer.example/id/A', 'https://issuer.example/id/A/keys', 'https://issuer.example/id/A/keys'],
    [
      'https://issuer.example/a/v2.0',
      'https://issuer.example/a/keys/v2.0',
      'https://issuer.example/a/keys/v2.0',
    ],
    [
      'https://issuer.example/id/A/',
      'https://issuer.example/id/A/openid/v1/jwks',
      'https://issuer.example/id/A/openid/v1/jwks',
    ],
  ])('for issuer %s, uses the jwks_uri %s at its own origin', (issuer, named, url) => {
    expect(locateJwks(issuer, named)).toEqual({ url, isJwksUriUsed: true });
  });

  it.each([
    ['https://issuer.example', 'https://issuer.example/openid/v1/jwks'],
    ['https://issuer.example/', 'https://issuer.example/openid/v1/jwks'],
    ['https://issuer.example:8443', 'https://issuer.example:8443/openid/v1/jwks'],
    ['https://issuer.example/cluster-a', 'https://issuer.example/cluster-a/openid/v1/jwks'],
    ['https://issuer.example/cluster-a/', 'https://issuer.example/cluster-a/openid/v1/jwks'],
    ['https://issuer.example/x/cluster-a', 'https://issuer.example/x/cluster-a/openid/v1/jwks'],
  ])('for issuer %s, returns %s if the jwks_uri is at another origin', (issuer, url) => {
    for (const named of [
      'https://10.0.0.1:6443/openid/v1/jwks',
      'https://10.0.0.1:6443/openid/v1/jwks?x=1',
      'https://evil.example/keys',
      'https://evil.example/cluster-a/openid/v1/jwks',
      'https://issuer.example:9443/keys',
      'https://sub.issuer.example/keys',
      'https://issuer.example@evil.example/keys',
      'http://issuer.example/keys',
      'http://issuer.example/openid/v1/jwks',
      'file:///openid/v1/jwks',
      'data:application/json,{"keys":[]}',
    ]) {
      expect(locateJwks(issuer, named)).toEqual({ url, isJwksUriUsed: false });
    }
  });

  it('never uses the root of a host for an issuer with a path', () => {
    // An API server behind a proxy path does not know this path, so its jwks_uri lacks it.
    expect(locateJwks('https://host.example/cluster-a', 'https://host.example/openid/v1/jwks').url).toBe(
      'https://host.example/cluster-a/openid/v1/jwks',
    );
  });
});
