import { createHash, createPublicKey, type VerifyKeyObjectInput } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { UseGuards } from '@nestjs/common';
import { K8sAuth, K8sAuthModule, type VerifierOptions } from 'nest-k8s-auth';
import { K8sAuthPrometheusModule } from 'nest-k8s-auth/prometheus';
import { AUDIENCE, type ClusterFiles } from '../support/cluster.js';
import { type NestAppOptions } from './nest-app.js';
import { NoopGuard, PlainSyncGuard } from './simple.guards.js';

export type LibraryVariant = VerifierOptions['kind'];
/**
 * Without a guard; a guard that does nothing; `crypto.verify` for each request; jwt-pubkey with metrics; and the verifiers of the
 * library.
 */
export type NestVariant = 'none' | 'noop' | 'plain-sync' | 'with-metrics' | LibraryVariant;

export const libraryVariants: readonly LibraryVariant[] = [
  'jwt-pubkey',
  'oidc-discovery',
  'tokenreview',
  'hybrid',
];

// The longest that the options allow: no verdict expires during a run.
const SUCCESS_LIFETIME_MS = 300_000;
const REVOCATION_CHECK_MS = 600_000;

export function optionsOf(variant: NestVariant, files: ClusterFiles): NestAppOptions {
  switch (variant) {
    case 'none':
      return {};
    case 'noop':
      return { protect: UseGuards(new NoopGuard()) };
    case 'plain-sync':
      return { protect: UseGuards(new PlainSyncGuard(readKeys(files.publicKeysFile))) };
    case 'with-metrics': {
      const { imports = [], ...others } = optionsOf('jwt-pubkey', files);
      return { ...others, imports: [...imports, K8sAuthPrometheusModule.forRoot({})] };
    }
    default: {
      const verifier = verifierOptions(variant, files);
      return { protect: K8sAuth(), imports: [K8sAuthModule.forRoot({ audience: AUDIENCE, verifier })] };
    }
  }
}

function verifierOptions(kind: LibraryVariant, files: ClusterFiles): VerifierOptions {
  const apiServer = { url: files.url, caFile: files.caFile, tokenFile: files.tokenFile };
  switch (kind) {
    case 'jwt-pubkey':
      return { kind, issuer: files.issuer, publicKeyFiles: [files.publicKeysFile] };
    case 'oidc-discovery':
      return { kind, apiServer };
    case 'tokenreview':
      return { kind, apiServer, successLifetimeMs: SUCCESS_LIFETIME_MS };
    case 'hybrid':
      return { kind, apiServer, revocationCheckMs: REVOCATION_CHECK_MS };
  }
}

/** By `<alg>.<kid>`, so that the key determines the algorithm. */
function readKeys(file: string): ReadonlyMap<string, VerifyKeyObjectInput> {
  const blocks = readFileSync(file, 'utf8').match(/-----BEGIN[^]+?-----END PUBLIC KEY-----/g) ?? [];
  const entries = blocks.map((pem): [string, VerifyKeyObjectInput] => {
    const key = createPublicKey(pem);
    const kid = createHash('sha256')
      .update(key.export({ type: 'spki', format: 'der' }))
      .digest('base64url');
    const curve = key.asymmetricKeyDetails?.namedCurve;
    const alg = curve === undefined ? 'RS256' : curve === 'secp384r1' ? 'ES384' : 'ES256';
    return [`${alg}.${kid}`, { key, dsaEncoding: 'ieee-p1363' }];
  });
  return new Map(entries);
}
