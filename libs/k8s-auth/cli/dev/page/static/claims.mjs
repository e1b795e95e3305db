import { byId, el } from './dom.mjs';
import { lifetime } from './lifetime.mjs';
import { clockTime, everySecond, relative } from './time.mjs';

const MEANINGS = {
  iss: 'issuer, the cluster',
  sub: 'subject, the ServiceAccount',
  aud: 'audience, the service it is for',
  exp: 'expires',
  iat: 'issued',
  nbf: 'not before',
  jti: 'id of this token, as in audit logs',
  alg: 'algorithm that is claimed',
  kid: 'key that is claimed',
  'kubernetes.io.namespace': 'namespace',
  'kubernetes.io.pod.name': 'pod it is bound to',
  'kubernetes.io.node.name': 'node of the pod',
  'kubernetes.io.serviceaccount.name': 'ServiceAccount',
};
/** What readers look for first. The others follow. */
const FIRST = ['sub', 'aud', 'iss', 'exp', 'iat', 'nbf', 'jti'];
const TIMES = ['exp', 'iat', 'nbf'];

/** What the token of a call states. The signature is not among it: the page never gets it. */
export function showClaims(call, caller) {
  const { token, explanation } = call ?? {};
  if (!token) {
    const text = call ? 'This call has no token, or it is not known.' : 'Choose a call.';
    return byId('claims-body').replaceChildren(el('p.muted', {}, text));
  }
  const isCurrent = caller?.token?.claims.jti === token.claims.jti;
  byId('claims-body').replaceChildren(
    lifetime(token.claims, isCurrent ? caller.rotatesAtMs : undefined),
    el(
      'p.muted',
      {},
      explanation?.isGenuine
        ? 'Genuine: a key of the issuer, or the API server, confirms it.'
        : 'Only decoded: nobody vouches for it.',
    ),
    table('Claims', inOrder(rows(token.claims))),
    table('Header', rows(token.header)),
  );
}

function table(caption, list) {
  return el(
    'table',
    {},
    el('caption', {}, caption),
    el(
      'tbody',
      {},
      list.map(([name, value]) => row(name, value)),
    ),
  );
}

/** Stable, so that the members of `kubernetes.io` stay together. */
function inOrder(list) {
  const rank = ([name]) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return list.sort((one, other) => rank(one) - rank(other));
}

function row(name, value) {
  const cell = el('td', {}, el('code', {}, String(value)));
  if (TIMES.includes(name) && typeof value === 'number') {
    const text = el('span.muted');
    cell.replaceChildren(el('code', {}, clockTime(value * 1000)), ' ', text);
    everySecond(text, () => (text.textContent = relative(value * 1000)));
  }
  return el('tr', {}, el('th', { scope: 'row' }, name, el('small', {}, MEANINGS[name] ?? '')), cell);
}

/** `kubernetes.io.pod.name`: nested members get one row each. */
function rows(value, path = '') {
  return Object.entries(value).flatMap(([name, member]) => {
    const here = path === '' ? name : `${path}.${name}`;
    if (Array.isArray(member)) return [[here, member.join(', ')]];
    return typeof member === 'object' && member !== null ? rows(member, here) : [[here, member]];
  });
}
