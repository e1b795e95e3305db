'use strict';
// `nest-k8s-auth dev` copies this file beside pod.json, and preloads the copy into the processes of a service. They then
// find the files of a pod at the paths of a pod, and other services under their names in the cluster. Only `dev` does
// this: the library has no setting for it. Plain CommonJS, which `--require` loads before every module of the service.
const dns = require('node:dns');
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');
const net = require('node:net');
const { isAbsolute, join, resolve } = require('node:path');
const { fileURLToPath } = require('node:url');

const { files, services } = JSON.parse(fs.readFileSync(join(__dirname, 'pod.json'), 'utf8'));
// On Windows, `resolve` adds a drive, to these paths as to those of the service.
const localFiles = new Map(Object.entries(files).map(([path, file]) => [resolve(path), file]));
const localPorts = new Map(Object.entries(services));
// Clients that look a name up before they connect, as gRPC does, get an address that stands for the port.
const addresses = new Map([...localPorts.values()].map((port, index) => [port, `127.254.0.${index + 1}`]));
for (const [port, address] of addresses) localPorts.set(address, port);

// With a callback, synchronous (`accessSync`), and with a promise. Nothing that writes, except `open`.
const READING = [
  ...['access', 'createReadStream', 'exists', 'lstat', 'open', 'openAsBlob', 'readFile'],
  ...['readlink', 'realpath', 'stat', 'unwatchFile', 'watch', 'watchFile'],
].flatMap((name) => [
  [fs, name],
  [fs, `${name}Sync`],
  [fs.promises, name],
]);
for (const [owner, key] of [[fs.realpath, 'native'], [fs.realpathSync, 'native'], ...READING]) {
  if (typeof owner[key] === 'function') owner[key] = withArguments(owner[key], redirectFile);
}
dns.lookup = withArguments(dns.lookup, redirectLookup);
dns.promises.lookup = withArguments(dns.promises.lookup, redirectLookup);
net.Socket.prototype.connect = withArguments(net.Socket.prototype.connect, redirectConnection);
// Otherwise, `import { readFile } from 'node:fs'` would get the functions from before.
syncBuiltinESMExports();

/** The same function with other arguments. A proxy keeps its properties, such as `realpath.native`. */
function withArguments(original, change) {
  return new Proxy(original, {
    apply: (target, self, args) => Reflect.apply(target, self, change(args)),
  });
}

function redirectFile([path, ...rest]) {
  const text = path instanceof URL ? pathOf(path) : path;
  const local = typeof text === 'string' && isAbsolute(text) ? localFiles.get(resolve(text)) : undefined;
  return [local ?? path, ...rest];
}

function pathOf(url) {
  try {
    return fileURLToPath(url);
  } catch {
    // Not a file of the pod. The function that was called reports the URL in its own way.
    return undefined;
  }
}

function redirectLookup([host, ...rest]) {
  return [addresses.get(portOf(String(host))) ?? host, ...rest];
}

/** The forms of `socket.connect`: options, port and host, or the list of both that `net.connect` passes on. */
function redirectConnection(args) {
  const [first, second] = args;
  if (Array.isArray(first)) {
    // Changed in place, because the list is marked by a symbol.
    first[0] = redirectOptions(first[0]);
  } else if (typeof first === 'object' && first !== null) {
    return [redirectOptions(first), ...args.slice(1)];
  } else {
    const port = typeof second === 'string' ? portOf(second) : undefined;
    if (port !== undefined) return [port, 'localhost', ...args.slice(2)];
  }
  return args;
}

function redirectOptions(options) {
  const port = typeof options.host === 'string' && !options.path ? portOf(options.host) : undefined;
  return port === undefined ? options : { ...options, host: 'localhost', port };
}

function portOf(host) {
  // A dot at the end is part of a complete name in DNS.
  return localPorts.get(host.toLowerCase().replace(/\.$/, ''));
}
