import { type CallerFiles } from './dev-cluster.js';
import { curlLine } from './curl-line.js';
import { type DevOptions, pathOf, type ServiceOptions, type Try } from './dev.options.js';

const DEFAULT_PATH = '/';

/** The command lines that show what a service answers to its callers, and to tokens that it must refuse. */
export function tryLines(
  { callers }: Pick<DevOptions, 'callers'>,
  service: ServiceOptions,
  files: CallerFiles,
  platform: NodeJS.Platform,
): string[] {
  const { path = DEFAULT_PATH, tries = [] } = service;
  const url = urlOf(service);
  const line = (status: number, tokenFile: string | undefined, note: string, at = path) => {
    const command = curlLine(url + at, tokenFile, platform);
    // In cmd.exe, # does not begin a comment, so the note cannot be pasted with the command.
    return platform === 'win32' ? `  ${status}  ${note}:  ${command}` : `  ${status}  ${command}   # ${note}`;
  };
  const fileOf = ({ caller = callers[0] }: Pick<Try, 'caller'>) => caller && files.valid.get(pathOf(caller));
  return [
    ...callers.map((caller) => line(200, fileOf({ caller }), pathOf(caller))),
    line(401, undefined, 'no token'),
    line(401, files.otherAudience, 'issued for another service'),
    line(401, files.expired, 'expired'),
    ...tries.map((one) => line(one.status, fileOf(one), one.note ?? '', one.path)),
  ];
}

/** Where the service listens. */
export function urlOf({ port }: Pick<ServiceOptions, 'port'>): string {
  return `http://localhost:${port}`;
}
