import { describe, expect, it } from '@jest/globals';
import { decodeKubernetesProtobuf } from './kubernetes-protobuf.js';

/** A length-delimited field. */
function field(number: number, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function integer(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return Buffer.from([...bytes, value]);
}

function envelope(kind: string, apiVersion: string, ...fields: Buffer[]): Buffer {
  const typeMeta = Buffer.concat([field(1, apiVersion), field(2, kind)]);
  return Buffer.concat([Buffer.from('k8s\0'), field(1, typeMeta), field(2, Buffer.concat(fields))]);
}

describe('decodeKubernetesProtobuf', () => {
  it('reads a TokenRequest', () => {
    const reference = [field(1, 'Pod'), field(2, 'v1'), field(3, 'p'), field(4, 'uid')];
    const spec = [field(1, 'a'), field(1, 'b'), field(3, Buffer.concat(reference)), integer(4, 86_400)];
    const body = envelope(
      'TokenRequest',
      'authentication.k8s.io/v1',
      field(1, Buffer.concat([field(1, 'n'), field(3, 'ns')])),
      field(2, Buffer.concat(spec)),
    );
    expect(decodeKubernetesProtobuf(body)).toEqual({
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name: 'n', namespace: 'ns' },
      spec: {
        audiences: ['a', 'b'],
        boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'uid' },
        expirationSeconds: 86_400,
      },
    });
  });

  it('reads a TokenReview', () => {
    const spec = Buffer.concat([field(1, 'token'), field(2, 'orders')]);
    expect(decodeKubernetesProtobuf(envelope('TokenReview', 'v', field(2, spec)))).toMatchObject({
      spec: { token: 'token', audiences: ['orders'] },
    });
  });

  it('reads the name of a ServiceAccount, and skips its secrets', () => {
    const body = envelope(
      'ServiceAccount',
      'v1',
      field(1, field(1, 'checkout')),
      field(2, field(3, 'secret')),
    );
    expect(decodeKubernetesProtobuf(body)).toEqual({
      kind: 'ServiceAccount',
      apiVersion: 'v1',
      metadata: { name: 'checkout' },
    });
  });

  it('skips fields of every wire type that it does not know', () => {
    const fixed64 = Buffer.concat([varint(20 * 8 + 1), Buffer.alloc(8, 0xff)]);
    const fixed32 = Buffer.concat([varint(21 * 8 + 5), Buffer.alloc(4, 0xff)]);
    const spec = Buffer.concat([fixed64, fixed32, integer(22, 300), field(23, 'x'), field(10, 'node-7')]);
    expect(decodeKubernetesProtobuf(envelope('Pod', 'v1', field(2, spec)))).toMatchObject({
      spec: { nodeName: 'node-7' },
    });
  });

  it.each([
    ['without its magic number', Buffer.from('{}')],
    ['of an unknown kind', envelope('Secret', 'v1')],
    ['without a kind', Buffer.concat([Buffer.from('k8s\0'), field(1, '')])],
    ['without an object', Buffer.concat([Buffer.from('k8s\0'), field(1, field(2, 'Pod'))])],
    ['that ends too early', envelope('Pod', 'v1', field(2, 'x')).subarray(0, -1)],
    ['that ends within a number', envelope('Pod', 'v1', Buffer.from([0x80]))],
    ['with a number for a text', envelope('Pod', 'v1', field(2, integer(8, 1)))],
    ['with a text for a number', envelope('TokenRequest', 'v1', field(2, field(4, 'x')))],
    ['with an unknown wire type', envelope('Pod', 'v1', varint(8 * 8 + 3))],
  ])('refuses a body %s', (_, body) => {
    expect(() => decodeKubernetesProtobuf(body)).toThrow(RangeError);
  });
});
