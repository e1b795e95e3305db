import { verify } from 'node:crypto';
import { type CanActivate, type ExecutionContext, UnauthorizedException } from '@nestjs/common';
import { type VerifyKeyObjectInput } from 'node:crypto';
import { AUDIENCE } from '../support/cluster.js';

/** The floor of the framework. */
export class NoopGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

/** Parts of a request that a guard needs, on Fastify as on Express. */
interface Request {
  readonly headers: { readonly authorization?: string };
}

/** Ten lines around `crypto.verify`: each request is verified at once and on its own. The reference for bursts. */
export class PlainSyncGuard implements CanActivate {
  constructor(private readonly keys: ReadonlyMap<string, VerifyKeyObjectInput>) {}

  canActivate(context: ExecutionContext): boolean {
    const { authorization = '' } = context.switchToHttp().getRequest<Request>().headers;
    const [header = '', payload = '', signature = ''] = authorization.slice('Bearer '.length).split('.');
    const { alg, kid } = decode(header) as { alg?: string; kid?: string };
    const key = this.keys.get(`${alg}.${kid}`);
    const input = Buffer.from(`${header}.${payload}`);
    const digest = `sha${alg?.slice(2)}`;
    if (key && verify(digest, input, key, Buffer.from(signature, 'base64url'))) {
      const { aud, exp } = decode(payload) as { aud: string[]; exp: number };
      if (aud.includes(AUDIENCE) && exp * 1000 > Date.now()) return true;
    }
    throw new UnauthorizedException();
  }
}

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return {};
  }
}
