import { byId, el, pair } from './dom.mjs';
import { lifetime } from './lifetime.mjs';

const shortKey = (kid) => el('code', { title: kid }, `${kid.slice(0, 8)}…`);

/** The caller, the service that it calls, and the API server. */
export function showOverview({ services, caller, apiServer, keys }) {
  const target = services.find(({ isTarget }) => isTarget);
  const callers = services.filter((service) => service !== target);
  const cards = [callerCard(callers, caller), target && targetCard(target), apiServerCard(apiServer, keys)];
  byId('flow').replaceChildren(...cards.filter(Boolean).map((card) => el('li', {}, card)));
}

function callerCard(services, caller) {
  const [service] = services;
  const name = service?.name ?? caller?.account;
  if (name === undefined) return undefined;
  return card(
    name,
    service ? state(service.state) : badge('this page calls', 'neutral'),
    'caller',
    caller
      ? [
          ...pair('ServiceAccount', caller.exists ? caller.account : el('s', {}, caller.account)),
          ...pair('Token', token(caller)),
        ]
      : [],
  );
}

function token(caller) {
  if (!caller.token) return 'not written yet';
  return lifetime(caller.token.claims, caller.rotatesAtMs, reason(caller));
}

function reason({ exists, hasPod, rotatesAtMs }) {
  if (!exists) return 'its ServiceAccount is deleted';
  if (!hasPod) return 'its pod is deleted';
  return rotatesAtMs === undefined ? 'cannot be replaced now' : undefined;
}

function targetCard({ name, state: now, audience, verifier, url }) {
  return card(name, state(now), 'service', [
    ...pair('Verifier', el('strong', {}, verifier)),
    ...pair('Audience', el('code', {}, audience)),
    ...pair('URL', el('code', {}, url)),
  ]);
}

function apiServerCard({ isReachable, issuer }, keys) {
  const shown = keys.slice(-3);
  const more = keys.length - shown.length;
  return card(
    'API server',
    isReachable ? badge('reachable', 'good') : badge('unreachable', 'bad'),
    'stand-in',
    [
      ...pair('Issuer', el('code', {}, issuer.replace(/^https:\/\//, ''))),
      ...pair(
        'Keys',
        el(
          'ul.keys',
          {},
          more > 0 ? el('li', {}, `${more} more old`) : undefined,
          shown.map(({ kid, use }) => el(`li.${use}`, {}, shortKey(kid), ` ${use}`)),
        ),
      ),
    ],
  );
}

function card(name, mark, role, facts) {
  const title = el('header', {}, el('h2', {}, name), mark, el('span.role', {}, role));
  return el('article', {}, title, el('dl', {}, facts));
}

const state = (now) => badge(now, now === 'ready' ? 'good' : now === 'starting' ? 'neutral' : 'bad');
const badge = (text, kind) => el(`span.badge.${kind}`, {}, text);
