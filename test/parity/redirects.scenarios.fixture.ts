import { describeError, outcomeOf } from './observation.fixture.js';
import { type Answer, type Call, type Scenario } from './scenario.fixture.js';

const STATUSES = [301, 302, 303, 307, 308];

/** `/start` redirects to where its query says, and all else is answered. */
const redirecting: Answer = (request, response) => {
  const { searchParams, pathname } = new URL(request.url ?? '/', 'http://localhost');
  const [status, ...locations] = searchParams.getAll('to');
  const [location, ...rest] = locations;
  if (pathname !== '/start' || location === undefined)
    return void response.end(`arrived by ${request.method}`);
  const next = rest.length > 0 ? start(Number(status), ...rest) : location;
  response.writeHead(Number(status), { location: next }).end();
};

function start(status: number, ...locations: string[]): string {
  return `/start?${[String(status), ...locations].map((part) => `to=${encodeURIComponent(part)}`).join('&')}`;
}

function scenario(
  name: string,
  run: (call: Call) => Promise<unknown>,
  more: Partial<Scenario> = {},
): Scenario {
  return { name, answer: redirecting, run, ...more };
}

export const redirects: readonly Scenario[] = [
  ...STATUSES.flatMap((status) => [
    scenario(`${status} to the same origin`, ({ http, origin, config }) =>
      outcomeOf(http.get(`${origin}${start(status, '/end')}`, config())),
    ),
    scenario(`${status} to another origin`, ({ http, origin, elsewhere, config }) =>
      outcomeOf(
        http.get(
          `${origin}${start(status, `${elsewhere}/end`)}`,
          config({ headers: { Cookie: 'a=1', 'X-Mine': '1' } }),
        ),
      ),
    ),
    scenario(`${status} of a POST`, ({ http, origin, config }) =>
      outcomeOf(http.post(`${origin}${start(status, '/end')}`, { a: 1 }, config())),
    ),
    scenario(
      `${status} of a PUT with bytes`,
      ({ http, origin, config }) =>
        outcomeOf(http.put(`${origin}${start(status, '/end')}`, Buffer.from('bytes'), config())),
      // The fetch of Node 20 detaches bytes that it sends, and then has none for the next hop.
      { adapters: ['http'] },
    ),
    scenario(`${status} that is not followed`, ({ http, origin, config }) =>
      outcomeOf(
        http.get(`${origin}${start(status, '/end')}`, config({ maxRedirects: 0, validateStatus: null })),
      ),
    ),
  ]),
  scenario('five in a row', ({ http, origin, config }) =>
    outcomeOf(
      http.get(`${origin}${start(302, '/1', '/2', '/3', '/4', '/end')}`, config({ maxRedirects: 5 })),
    ),
  ),
  scenario('a loop', ({ http, origin, config }) => outcomeOf(http.get(`${origin}/loop`, config())), {
    answer: (_request, response) => void response.writeHead(302, { location: '/loop' }).end(),
  }),
  scenario('to another scheme', ({ http, origin, config }) =>
    outcomeOf(http.get(`${origin}${start(302, 'ftp://127.0.0.1/')}`, config())),
  ),
  scenario('to a place that is none', ({ http, origin, config }) =>
    outcomeOf(http.get(`${origin}${start(302, 'http://[::1')}`, config())),
  ),
  scenario(
    'without a location',
    ({ http, origin, config }) => outcomeOf(http.get(origin, config({ validateStatus: null }))),
    { answer: (_request, response) => void response.writeHead(302).end('stay') },
  ),
  scenario('a fragment', ({ http, origin, config }) =>
    outcomeOf(http.get(`${origin}${start(302, '/end#x')}`, config())),
  ),
  scenario(
    'too many',
    ({ http, origin, config }) => outcomeOf(http.get(`${origin}/loop`, config({ maxRedirects: 2 }))),
    {
      // The fetch adapter of axios knows no limit but that of the Fetch standard.
      adapters: ['http'],
      answer: (_request, response) => void response.writeHead(302, { location: '/loop' }).end(),
    },
  ),
  scenario('the hook beforeRedirect', async ({ http, origin, elsewhere, config }) => {
    const seen: unknown[] = [];
    const beforeRedirect = (options: Record<string, unknown>, answer: unknown, request: unknown) => {
      const { method, path, href, headers } = options;
      seen.push([{ method, path, href, headers }, answer, request]);
    };
    const outcome = await outcomeOf(
      http.post(`${origin}${start(307, `${elsewhere}/end`)}`, 'x', config({ beforeRedirect })),
    );
    return JSON.parse(JSON.stringify([seen, outcome]).replaceAll(/"date":"[^"]*"/g, '"date":""')) as unknown;
  }),
  scenario('a hook that throws', async ({ http, origin, config }) => {
    const beforeRedirect = () => {
      throw new RangeError('not there');
    };
    return describeError(
      await http
        .get(`${origin}${start(302, '/end')}`, config({ beforeRedirect }))
        .catch((error: unknown) => error),
    );
  }),
];
