const UNREADABLE = /token file (\/[^\s'"]+) cannot be read/;
const UNKNOWN_HOST = /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)/;
/** `orders`, `orders.shop`, `orders.shop.svc`, or the same with a domain of the cluster. */
const SERVICE = /^([a-z0-9-]+)(?:\.([a-z0-9-]+)(?:\.svc(?:\..+)?)?)?$/;
const KEEP_OPTIONS =
  'where a script sets NODE_OPTIONS, keep what dev has set, as in NODE_OPTIONS="$NODE_OPTIONS --enable-source-maps"';

/** Names the option of `dev` that gives a service what its code expects in a cluster and did not find. */
export class PodHints {
  private readonly known = new Set<string>();

  /**
   * @param line of the service's log
   * @param tokenFiles the paths of the token files that its pod has
   * @returns `undefined` if the line is about something else, or the hint was returned before
   */
  hintFor(line: string, tokenFiles: readonly string[]): string | undefined {
    const hint = aboutFile(UNREADABLE.exec(line)?.[1], tokenFiles) ?? aboutHost(UNKNOWN_HOST.exec(line)?.[1]);
    if (hint === undefined || this.known.has(hint)) return undefined;
    this.known.add(hint);
    return hint;
  }
}

function aboutFile(file: string | undefined, tokenFiles: readonly string[]): string | undefined {
  if (file === undefined) return undefined;
  // A package.json often has a script such as `NODE_OPTIONS=--enable-source-maps nest start`.
  if (tokenFiles.includes(file))
    return `the pod has ${file}, but this process does not see it: ${KEEP_OPTIONS}`;
  const present = tokenFiles.length > 0 ? `; the pod has ${tokenFiles.join(', ')}` : '';
  return `to get a token in ${file}, add --token-file ${file}=<audience>${present}`;
}

function aboutHost(host: string | undefined): string | undefined {
  const [, name, namespace = '<namespace>'] = SERVICE.exec(host ?? '') ?? [];
  if (name === undefined) return undefined;
  return `to find ${host}, start this service too: add --and --as ${namespace}/${name} --port <number> -- <command>`;
}
