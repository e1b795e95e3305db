import { jsonAnswer, textAnswer } from '../answer.js';
import { type Endpoint } from '../endpoint.js';

/** The endpoints that anonymous callers may use. */
export function healthEndpoints(): readonly Endpoint[] {
  return [
    {
      name: 'health',
      method: 'GET',
      path: /^\/(?:healthz|readyz|livez)$/,
      access: 'everyone',
      answer: () => textAnswer(200, 'ok'),
    },
    {
      name: 'health',
      method: 'GET',
      path: /^\/version$/,
      access: 'everyone',
      answer: () =>
        jsonAnswer(200, {
          major: '1',
          minor: '34',
          gitVersion: 'v1.34.0+local',
          gitCommit: '',
          gitTreeState: 'clean',
          buildDate: '1970-01-01T00:00:00Z',
          goVersion: '',
          compiler: '',
          platform: '',
        }),
    },
  ];
}
