import { setImmediate } from 'node:timers/promises';

// A container's process is PID 1, which ignores every signal without a handler. So the handlers are installed before
// other modules are loaded. Until the application runs, there is nothing to close.
let stop = (): Promise<void> => Promise.resolve();
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => void stop().then(() => process.exit(0)));
}

const { bootstrap } = await import('./bootstrap.js');
// Node 24 loads all modules without a pause. This lets a signal that arrived during the loading be handled before the
// application starts.
await setImmediate();
stop = await bootstrap();
