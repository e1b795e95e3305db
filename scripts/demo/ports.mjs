import { createServer } from 'node:net';

/** Says which port is taken, and what to do, before anything is started. */
export async function refuseTakenPorts(ports) {
  if (ports.service1 === ports.service2) throw new Error('service1 and service2 need two different ports');
  for (const [name, port] of Object.entries(ports)) {
    const error = await tryPort(port);
    if (!error) continue;
    const reason = error.code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${error.code})`;
    throw new Error(
      `port ${port} for ${name} ${reason}: stop what listens there, or choose another one with\n` +
        `  npm start -- --${name}-port ${port + 1000}`,
    );
  }
}

function tryPort(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, () => server.close(() => resolve(undefined)));
  });
}
