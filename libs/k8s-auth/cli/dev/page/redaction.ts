/**
 * Anything that looks like the start of a JWT (base64url of `{"`), and any text as long as a signature alone: 86 characters
 * for ES256, 342 for RS256. The name of a key has 43 characters, and that of a ServiceAccount rarely more than 63.
 */
const TOKEN_LIKE = /eyJ[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*)*|[A-Za-z0-9_-]{80,}/g;
/** A shorter part may occur in ordinary words, and is too short to be a secret. */
const MIN_PART_LENGTH = 16;
const MAX_LENGTH = 2000;

/**
 * Text of a service without the token that was sent to it, even if the service repeats only a part of it, such as the
 * signature. Anything else that looks like a token or a signature is replaced too.
 */
export function withoutToken(text: string, token?: string): string {
  const parts = (token ?? '').split('.').filter((part) => part.length >= MIN_PART_LENGTH);
  const redacted = parts.reduce((rest, part) => rest.replaceAll(part, '[token]'), text);
  return redacted.replace(TOKEN_LIKE, '[token]');
}

/** The same, as text that a page can show: without control characters, and not longer than 2,000 characters. */
export function shownText(text: string, token?: string): string {
  // eslint-disable-next-line no-control-regex -- colours
  const plain = withoutToken(text, token).replace(/\u001b\[[0-9;]*m/g, '');
  const printable = plain.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, (character) => (character === '\n' ? '\n' : ' '));
  return printable.length > MAX_LENGTH ? `${printable.slice(0, MAX_LENGTH)}…` : printable;
}

/** The last gate: JSON for the page, in which nothing looks like a token. */
export function toPublicJson(value: unknown): string {
  return JSON.stringify(value).replace(TOKEN_LIKE, '[token]');
}
