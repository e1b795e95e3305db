// A container's process is PID 1, which ignores every signal that it has no handler for: these are here before anything
// else is loaded, and stay. Until the application runs there is nothing to finish.
let stop = (): Promise<void> => Promise.resolve();
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => void stop().then(() => process.exit(0)));
}

const { bootstrap } = await import('./bootstrap.js');
stop = await bootstrap();
