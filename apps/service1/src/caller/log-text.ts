/** Room for a whole principal, with names of any length. */
export const MAX_LOGGED_CHARACTERS = 2000;

// Categories C (control, format, unpaired surrogate, private, unassigned) and Z but the space itself: what moves a
// terminal's cursor, ends a line or changes the direction of a text.
const NOT_PRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

// Anything that looks like the start of a JWT (base64url of `{"`): a target may send back the headers it has received.
const TOKEN_LIKE = /eyJ[\w-]*(\.[\w-]*)*/g;

/**
 * Foreign text made fit for one line of a log: control characters are escaped as in JavaScript, JWTs are taken out,
 * and long text is cut.
 */
export function loggable(text: string): string {
  const start = text.slice(0, MAX_LOGGED_CHARACTERS + 1);
  const escaped = start.replace(TOKEN_LIKE, '[token]').replace(NOT_PRINTABLE, escape);
  if (Math.max(text.length, escaped.length) <= MAX_LOGGED_CHARACTERS) return escaped;
  // The cut may go through a surrogate pair.
  return `${escaped.slice(0, MAX_LOGGED_CHARACTERS).replace(/\p{Cs}$/u, '')}…`;
}

function escape(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  if (code.length <= 2) return SHORT_ESCAPES[character] ?? `\\x${code.padStart(2, '0')}`;
  return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\u{${code}}`;
}

/** A URL without its user name and password: either may be a secret. */
export function withoutUserinfo(text: string): string {
  const url = new URL(text);
  if (url.username === '' && url.password === '') return text;
  url.username = '***';
  url.password = '';
  return url.href;
}
