/** Enough for a whole principal, with names of any length. */
export const MAX_LOGGED_CHARACTERS = 2000;

// Characters that move a terminal's cursor, end a line or change the direction of a text: Unicode category C (control,
// format, unpaired surrogate, private, unassigned) and the line and paragraph separators.
const NOT_PRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

// Anything that looks like the start of a JWT (base64url of `{"`): a target may send back the headers it has received.
const TOKEN_LIKE = /eyJ[\w-]*(\.[\w-]*)*/g;

/**
 * Prepares untrusted text for one line of a log: control characters are escaped as in JavaScript, JWTs are removed, and
 * long text is truncated.
 */
export function toLogText(text: string): string {
  const start = text.slice(0, MAX_LOGGED_CHARACTERS + 1);
  const escaped = start.replace(TOKEN_LIKE, '[token]').replace(NOT_PRINTABLE, escape);
  if (Math.max(text.length, escaped.length) <= MAX_LOGGED_CHARACTERS) return escaped;
  // The text may be cut in the middle of a surrogate pair.
  return `${escaped.slice(0, MAX_LOGGED_CHARACTERS).replace(/\p{Cs}$/u, '')}…`;
}

function escape(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  if (code.length <= 2) return SHORT_ESCAPES[character] ?? `\\x${code.padStart(2, '0')}`;
  return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\u{${code}}`;
}

/** Removes the user name and password from a URL: either may be a secret. */
export function withoutUserinfo(text: string): string {
  const url = new URL(text);
  if (url.username === '' && url.password === '') return text;
  url.username = '***';
  url.password = '';
  return url.href;
}
