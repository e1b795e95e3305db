import { UsageError } from '../command.js';
import { parseDevArguments } from './dev.arguments.js';
import { runDev } from './run-dev.js';

export const help = `
Usage: npx nest-k8s-auth dev [options] -- <command>

Runs a command, such as nest start --watch, with the environment of a pod. A stand-in for the Kubernetes API server runs
beside it on this machine: no cluster, no Docker, no change to the application.

Options:
  --as <namespace>/<name>         the service's own ServiceAccount        default: default/<name in package.json>
  --audience <name>               the audience of the service             default: K8S_AUTH_AUDIENCE, or the name of --as
  --caller <namespace>/<name>     a caller whose tokens are offered       default: caller, in the namespace of --as
                                  (may be repeated; the keys change the first one)
  --destination <origin>=<audience>
                                  give the service a token for calls to this origin (may be repeated)
  --token-file <path>=<audience>  give the service a token at this path, which its code names (may be repeated)
  --verifier <kind>               sets K8S_AUTH_VERIFIER: oidc-discovery, tokenreview, jwt-pubkey or hybrid; none for
                                  a service that receives no calls        default: K8S_AUTH_VERIFIER, or oidc-discovery
  --port <number>                 where the service listens, set as PORT  default: PORT, or 3000
  --path <path>                   the route in the printed curl lines     default: /
  --page-port <number>            where the live page is, on loopback     default: a free port
  --no-page                       no live page
  --verbose                       also show what Nest logs while it starts

Several services in the same cluster: separate them with --and, each with its own options and command.

  npx nest-k8s-auth dev --audience orders --path /orders -- nest start --watch
  npx nest-k8s-auth dev --as shop/orders --audience orders -- npm run start:orders \\
    --and --as shop/checkout --port 3001 -- npm run start:checkout

Options in the code of a service need no change. It finds what its pod would have: /var/run/secrets/tokens/<audience> for
each destination and for the other services of this command, the mount of its ServiceAccount, and the other services under
http://<name>, http://<name>.<namespace> and http://<name>.<namespace>.svc.

Variables that the service gets: KUBECONFIG, KUBERNETES_SERVICE_HOST and _PORT, PORT, NODE_OPTIONS, and, unless you set them,
K8S_AUTH_VERIFIER, K8S_AUTH_AUDIENCE, with jwt-pubkey K8S_AUTH_ISSUER and K8S_AUTH_PUBLIC_KEY_FILES, with
--destination K8S_AUTH_DESTINATIONS. A command that is one text with spaces is run by the shell.

Exit status: 0 after q or Ctrl-C; the status of the command if it ends and there is no terminal; 1 if a port is in use;
2 for wrong arguments.
`;

export async function run(args: readonly string[]): Promise<number> {
  const options = parseDevArguments(args, process.env, process.cwd());
  const ports = options.services.map(({ port }) => port);
  if (new Set(ports).size < ports.length)
    throw new UsageError('expected a different --port for each service');
  return runDev(options);
}
