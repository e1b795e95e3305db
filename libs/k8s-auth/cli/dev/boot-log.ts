/** The contexts that Nest logs with while it starts an application. */
const CONTEXTS = [
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
  'NestMicroservice',
  'WebSocketsController',
];
const NAMES = CONTEXTS.join('|');
// eslint-disable-next-line no-control-regex -- colours
const COLOURS = /\u001b\[[0-9;]*m/g;
const TEXT_LINE = new RegExp(`^\\[.+\\] \\d+ .* LOG \\[(${NAMES})\\]`);
const JSON_LINE = new RegExp(`^\\{.*"level":"log".*"context":"(${NAMES})"`);

/** Whether Nest logs this line at every start, at level `log`. Its warnings and errors are not such lines. */
export function isBootLine(line: string): boolean {
  const plain = line.replace(COLOURS, '');
  return TEXT_LINE.test(plain) || JSON_LINE.test(plain);
}
