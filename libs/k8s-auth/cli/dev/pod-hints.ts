const UNREADABLE = /token file (\/[^\s'"]+) cannot be read/;
const UNKNOWN_HOST = /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)/;
/** `orders`, `orders.shop`, `orders.shop.svc`, or the same with a domain of the cluster. */
const SERVICE = /^([a-z0-9-]+)(?:\.([a-z0-9-]+)(?:\.svc(?:\..+)?)?)?$/;

/** What the code of a service finds in its pod. */
export interface PodContents {
  /** The paths of the token files. */
  readonly tokenFiles: readonly string[];
  /** The names of the other services. */
  readonly hostNames: readonly string[];
}

/** Says how a service gets what its code expects in a cluster and did not find. */
export class PodHints {
  private readonly known = new Set<string>();

  /**
   * @param line of the service's log
   * @returns `undefined` if the line is about something else, or the hint was returned before
   */
  hintFor(line: string, pod: PodContents): string | undefined {
    const hint =
      aboutFile(UNREADABLE.exec(line)?.[1], pod) ??
      aboutHost(UNKNOWN_HOST.exec(line)?.[1]?.toLowerCase(), pod);
    if (hint === undefined || this.known.has(hint)) return undefined;
    this.known.add(hint);
    return hint;
  }
}

function aboutFile(file: string | undefined, { tokenFiles }: PodContents): string | undefined {
  if (file === undefined) return undefined;
  if (tokenFiles.includes(file)) return aboutNodeOptions(file);
  const present = tokenFiles.length > 0 ? `; the pod has ${tokenFiles.join(', ')}` : '';
  return `to get a token in ${file}, add --token-file ${file}=<audience>${present}`;
}

function aboutHost(host: string | undefined, { hostNames }: PodContents): string | undefined {
  if (host === undefined) return undefined;
  if (hostNames.includes(host)) return aboutNodeOptions(host);
  const [, name, namespace = '<namespace>'] = SERVICE.exec(host) ?? [];
  if (name === undefined) return undefined;
  return `to find ${host}, start this service too: add --and --as ${namespace}/${name} --port <number> -- <command>`;
}

/** The process has not loaded the file of `dev`, for example because of a script `NODE_OPTIONS=--inspect nest start`. */
function aboutNodeOptions(pathOrName: string): string {
  const cause = `the pod has ${pathOrName}, but this process does not see it`;
  return `${cause}: where a script sets NODE_OPTIONS, keep what dev has set, as in NODE_OPTIONS="$NODE_OPTIONS --inspect"`;
}
