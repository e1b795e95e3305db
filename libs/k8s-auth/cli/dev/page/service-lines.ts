/** A line in which the library says that it has refused a request. */
export interface RefusalLine {
  readonly status: number;
  readonly code: string;
  /** The `jti` of the refused token. Absent if there was no token. */
  readonly credentialId?: string;
  readonly subject?: string;
  readonly route?: string;
}

const CODE = /\bERR_K8S_AUTH_[A-Z_]+/;

/** Reads text and JSON lines of Nest's logger. @returns `undefined` for a line about anything else */
export function readRefusal(line: string): RefusalLine | undefined {
  const [code] = CODE.exec(line) ?? [];
  if (code === undefined || !line.includes('request refused')) return undefined;
  const [, credentialId] = /JTI=([\w-]+)/.exec(line) ?? [];
  const subject = field(line, 'sub');
  const route = field(line, 'route');
  return {
    ...{ status: statusOf(code), code },
    ...(credentialId !== undefined && { credentialId }),
    ...(subject !== undefined && { subject }),
    ...(route !== undefined && { route }),
  };
}

function field(line: string, name: string): string | undefined {
  return new RegExp(`\\b${name}"?: ?["']([^"']+)["']`).exec(line)?.[1];
}

/** The status that the guard answers with. */
function statusOf(code: string): number {
  if (code.endsWith('_VERIFIER_UNAVAILABLE')) return 503;
  if (/_(PRINCIPAL_FORBIDDEN|ROUTE_UNDECORATED)$/.test(code)) return 403;
  return code.endsWith('_CREDENTIALS_MALFORMED') ? 400 : 401;
}
