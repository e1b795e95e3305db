import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ROOT, RunningProcess } from '../support/running-process.js';

/** Builds the library if needed, as `npm start` does. */
export function buildOnce(): void {
  const build = "import('./scripts/demo/build.mjs').then(({ buildIfStale }) => buildIfStale())";
  execFileSync(process.execPath, ['--eval', build], { cwd: ROOT });
}

/** `npx nest-k8s-auth dev` without npx: the program that package.json names. */
export class DevProcess extends RunningProcess {
  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const inherited = Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) =>
        value === undefined || /^(K8S_AUTH_|KUBE|NODE_OPTIONS|PORT$)/.test(name) ? [] : [[name, value]],
      ),
    );
    super({
      args: ['libs/k8s-auth/bin/nest-k8s-auth.mjs', 'dev', ...args],
      environment: { ...inherited, ...environment },
    });
  }

  /** The command lines that were printed, each with the status that it announces. */
  tries(): { readonly status: string; readonly command: string }[] {
    return this.lines.flatMap((line) => {
      const [, status, command] = /^\[try\] +(\d{3}) +(curl .*?) {3}#/.exec(line) ?? [];
      return status && command ? [{ status, command }] : [];
    });
  }
}

/** Does what a printed command does, without curl: the token is in the file, the URL is at the end. */
export async function send(command: string): Promise<Response> {
  const [, file] = /\$\(cat (\S+)\)/.exec(command) ?? [];
  const [url = ''] = /http:\S+/.exec(command) ?? [];
  return fetch(url, {
    headers: {
      connection: 'close',
      ...(file !== undefined && { authorization: `Bearer ${readFileSync(file, 'utf8')}` }),
    },
  });
}
