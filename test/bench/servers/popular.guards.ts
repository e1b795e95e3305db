/** Guards as most people write them: each follows the example in the documentation of its package. */
import { AuthenticationV1Api, KubeConfig } from '@kubernetes/client-node';
import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  type Type,
  UnauthorizedException,
} from '@nestjs/common';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { passportJwtSecret } from 'jwks-rsa';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { AUDIENCE, type ClusterFiles } from '../support/cluster.js';

type Guard = CanActivate | Type<CanActivate>;

export const popularGuards = {
  /** jose verifies each request with the keys that it keeps from the JWKS. */
  jose: joseGuard,
  /** passport-jwt verifies each request with the keys that jwks-rsa keeps. */
  'passport-jwt': passportGuard,
  /** client-node sends a TokenReview for each request. */
  'client-node': clientNodeGuard,
} satisfies Record<string, (files: ClusterFiles) => Guard>;

export type PopularGuard = keyof typeof popularGuards;

function joseGuard({ issuer, url }: ClusterFiles): CanActivate {
  const keys = createRemoteJWKSet(new URL(`${url}/openid/v1/jwks`));
  return guardOf(async (token) => {
    const { payload } = await jwtVerify(token, keys, { issuer, audience: AUDIENCE });
    return payload.sub;
  });
}

function passportGuard({ issuer, url }: ClusterFiles): Type<CanActivate> {
  @Injectable()
  class JwtStrategy extends PassportStrategy(Strategy) {
    constructor() {
      super({
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        secretOrKeyProvider: passportJwtSecret({
          cache: true,
          rateLimit: true,
          jwksRequestsPerMinute: 5,
          jwksUri: `${url}/openid/v1/jwks`,
        }),
        issuer,
        audience: AUDIENCE,
        algorithms: ['RS256'],
      });
    }

    validate({ sub }: { sub: string }): object {
      return { username: sub };
    }
  }
  // The strategy registers itself with passport.
  new JwtStrategy();
  return AuthGuard('jwt');
}

function clientNodeGuard({ kubeconfigFile }: ClusterFiles): CanActivate {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfigFile);
  const api = config.makeApiClient(AuthenticationV1Api);
  return guardOf(async (token) => {
    const { status } = await api.createTokenReview({ body: { spec: { token, audiences: [AUDIENCE] } } });
    const isMeant = status?.authenticated && status.audiences?.includes(AUDIENCE);
    return isMeant ? status.user?.username : undefined;
  });
}

/** @param authenticate returns the caller's name, or `undefined` or an error for a token that is refused */
function guardOf(authenticate: (token: string) => Promise<string | undefined>): CanActivate {
  return {
    async canActivate(context: ExecutionContext): Promise<boolean> {
      const request = context
        .switchToHttp()
        .getRequest<{ headers: { authorization?: string }; user?: { username: string } }>();
      const [type, token] = request.headers.authorization?.split(' ') ?? [];
      if (type !== 'Bearer' || !token) throw new UnauthorizedException();
      const username = await authenticate(token).catch(() => undefined);
      if (username === undefined) throw new UnauthorizedException();
      request.user = { username };
      return true;
    },
  };
}
