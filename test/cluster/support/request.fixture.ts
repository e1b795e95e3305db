import { type Cluster } from './cluster.fixture.js';

export interface PodRequest {
  readonly token?: string | undefined;
  /** Name of a Service in the namespace `mytest`. */
  readonly service?: string;
  /** Origin of one pod, instead of a Service. */
  readonly origin?: string;
  readonly path?: string;
}

export interface Answer {
  readonly status: number;
  readonly challenge: string | null;
  readonly retryAfter: string | null;
  readonly body: string;
}

// The request comes by standard input, so that no token is in a list of processes.
const PROGRAM = `
let input = '';
process.stdin.on('data', (chunk) => (input += chunk)).on('end', async () => {
  const { url, headers } = JSON.parse(input);
  const response = await fetch(url, { headers });
  console.log(JSON.stringify({
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    retryAfter: response.headers.get('retry-after'),
    body: await response.text(),
  }));
});
`;

/** One request from a pod of service1, with any token. */
export async function requestFromPod(
  cluster: Cluster,
  { token, service = 'service2', origin = `http://${service}.mytest.svc`, path = '/' }: PodRequest,
): Promise<Answer> {
  const request = {
    url: origin + path,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  };
  const answer = await cluster.kubectlWithInput(
    JSON.stringify(request),
    'exec',
    '--stdin',
    '--namespace=mytest',
    'deployment/service1',
    '--',
    'node',
    '-e',
    PROGRAM,
  );
  return JSON.parse(answer) as Answer;
}
