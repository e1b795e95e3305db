import { createPrincipal, type Principal } from '../src/identity/principal.js';
import { type Verdict, type Verifier, type Verify } from '../src/verifiers/verifier.js';

/** @param path `shop/checkout` */
export function principalNamed(path: string): Principal {
  const [namespace = '', serviceAccount = ''] = path.split('/');
  return createPrincipal({
    namespace,
    serviceAccount,
    serviceAccountUid: '6f1c2d1e-0000-4000-8000-000000000001',
    audiences: ['orders'],
    issuer: 'https://issuer.test',
    credentialId: 'JTI=41b9',
    verifiedBy: 'scripted',
  });
}

/** @param path `shop/checkout` */
export function verdictFor(path: string): Verdict {
  return { principal: principalNamed(path), validUntilMs: Number.MAX_SAFE_INTEGER };
}

/** Implements our own interface: returns what the script says, and records what it was asked. */
export class ScriptedVerifier implements Verifier {
  readonly asked: { token: string; audiences: readonly string[] }[] = [];

  /** @param script may throw, or return what no verifier should */
  constructor(private readonly script: (token: string) => unknown = () => verdictFor('shop/checkout')) {}

  readonly verify: Verify = (token, audiences) => {
    this.asked.push({ token, audiences });
    return this.script(token) as Verdict | Promise<Verdict>;
  };

  start(): void {}

  readiness() {
    return { status: 'ready' } as const;
  }

  apiServerAudiences(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
