import { setImmediate } from 'node:timers/promises';

// A container's process is PID 1, which ignores every signal that it has no handler for: these are here before anything
// else is loaded, and stay. Until the application runs there is nothing to finish.
let stop = (): Promise<void> => Promise.resolve();
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => void stop().then(() => process.exit(0)));
}

const { bootstrap } = await import('./bootstrap.js');
// Node 24 loads all of it in one go: a signal that came meanwhile has its turn before anything is started.
await setImmediate();
stop = await bootstrap();
