import { describe, expect, it } from '@jest/globals';
import { locateJwks } from './issuer.key-source.js';

describe('locateJwks', () => {
  // Several clusters behind one host, as with the public issuers of clouds.
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
  ])('reads the keys of %s at its own origin as named, at %s', (issuer, named, url) => {
    expect(locateJwks(issuer, named)).toEqual({ url, isJwksUriUsed: true });
  });

  it.each([
    ['https://issuer.example', 'https://issuer.example/openid/v1/jwks'],
    ['https://issuer.example/', 'https://issuer.example/openid/v1/jwks'],
    ['https://issuer.example:8443', 'https://issuer.example:8443/openid/v1/jwks'],
    ['https://issuer.example/cluster-a', 'https://issuer.example/cluster-a/openid/v1/jwks'],
    ['https://issuer.example/cluster-a/', 'https://issuer.example/cluster-a/openid/v1/jwks'],
    ['https://issuer.example/x/cluster-a', 'https://issuer.example/x/cluster-a/openid/v1/jwks'],
  ])('reads the keys of %s below it, at %s, whatever another origin is named', (issuer, url) => {
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

  it('never reads the root of a host for an issuer that is one of several behind it', () => {
    // An API server behind a path does not know of it, and names its own idea of its address.
    expect(locateJwks('https://host.example/cluster-a', 'https://host.example/openid/v1/jwks').url).toBe(
      'https://host.example/cluster-a/openid/v1/jwks',
    );
  });
});
