import { systemClock } from '../../src/util/clock.js';
import { writeLine } from '../output.js';
import { DevSession, type DevTerminal } from './dev-session.js';
import { type DevOptions } from './dev.options.js';
import { whyPortIsUnusable } from './ports.js';

const ASK_FOR_PARENT_EVERY_MS = 500;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How a port is chosen, for the message about one that is in use. */
type PortAdvice = (name: string, freePort: number) => string;

/**
 * Runs services around a stand-in for a cluster, until Ctrl-C.
 * @returns the exit status
 * @throws {Error} a port cannot be used
 */
export async function runDev(
  options: DevOptions,
  advice: PortAdvice = (_, port) => `--port ${port}`,
): Promise<number> {
  await checkPorts(options, advice);
  const session = new DevSession(options, processTerminal());
  const quit = () => session.quit();
  for (const signal of SIGNALS) process.on(signal, quit);
  const stopWatching = onParentEnd(quit);
  try {
    return await session.run();
  } finally {
    stopWatching();
    for (const signal of SIGNALS) process.removeListener(signal, quit);
  }
}

async function checkPorts({ services, pagePort = 0 }: DevOptions, advice: PortAdvice): Promise<void> {
  const reasonOfPage = pagePort === 0 ? undefined : await whyPortIsUnusable(pagePort);
  if (reasonOfPage !== undefined)
    throw new Error(
      `port ${pagePort} for the live page ${reasonOfPage}: choose another one with --page-port`,
    );
  for (const { port, identity, name = identity.name } of services) {
    const reason = await whyPortIsUnusable(port);
    if (reason === undefined) continue;
    const option = advice(name, port < 64_000 ? port + 1000 : port - 1000);
    throw new Error(
      `port ${port} for ${name} ${reason}: stop the program that uses it, or choose another port with ${option}`,
    );
  }
}

function processTerminal(): DevTerminal {
  return { stdin: process.stdin, writeLine, directory: process.cwd(), clock: systemClock };
}

/** npm and npx may be killed without forwarding the signal. A new parent process means that they have ended. */
function onParentEnd(quit: () => void): () => void {
  // Set by npm. A process that was started in another way may outlive its parent on purpose, with nohup for example.
  if (process.env.npm_execpath === undefined) return () => undefined;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) quit();
  }, ASK_FOR_PARENT_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
