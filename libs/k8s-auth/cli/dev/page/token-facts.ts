/** What a token states. Nobody vouches for it. Its signature is not part of it. */
export interface TokenFacts {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Only what describes a key: other members of a header may hold anything. */
const HEADER_MEMBERS = ['alg', 'kid', 'typ'];

/** @returns `undefined` if the text is not a JWT */
export function tokenFacts(token: string): TokenFacts | undefined {
  const [first, second] = token.split('.');
  const [header, claims] = [decode(first), decode(second)];
  if (!header || !claims) return undefined;
  const shown = HEADER_MEMBERS.filter((name) => Object.hasOwn(header, name));
  return { header: Object.fromEntries(shown.map((name) => [name, header[name]])), claims };
}

/** The `jti` claim, which log lines name as the credential id. */
export function tokenId(token: string | undefined): string | undefined {
  const jti = token === undefined ? undefined : tokenFacts(token)?.claims.jti;
  return typeof jti === 'string' ? jti : undefined;
}

function decode(part: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
