// A service that only calls: one request to the first destination with the token of its file, then it waits.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';

const [origin, tokenFile] = process.env.K8S_AUTH_DESTINATIONS.split('=');
const headers = { authorization: `Bearer ${readFileSync(tokenFile, 'utf8')}`, connection: 'close' };
const response = await fetch(`${origin}/orders`, { headers });
console.log(`status=${response.status} ${await response.text()}`);
createServer().listen(Number(process.env.PORT));
