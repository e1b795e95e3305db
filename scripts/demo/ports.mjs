import { createServer } from 'node:net';

/** Run before anything is started. @throws {Error} that says which port is in use, and what to do */
export async function checkPortsAreFree(ports) {
  if (ports.service1 === ports.service2) throw new Error('service1 and service2 need two different ports');
  for (const [name, port] of Object.entries(ports)) {
    const error = await tryPort(port);
    if (!error) continue;
    const reason = error.code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${error.code})`;
    throw new Error(
      `port ${port} for ${name} ${reason}: stop the program that uses it, or choose another port with\n` +
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
