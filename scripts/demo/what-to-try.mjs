/** Prints commands that can be pasted into another terminal. */
export function printWhatToTry({ cluster, verifier, ports }) {
  const url = `http://127.0.0.1:${ports.service2}`;
  const curl = (file, path = '/') => `curl -i -H "Authorization: Bearer $(cat ${file})" ${url}${path}`;
  console.log(`
[try] verifier: ${verifier}; in another terminal:
[try]   200  ${curl(cluster.service1TokenFile)}
[try]   200  ${curl(cluster.service1TokenFile, '/whoami')}
[try]   401  curl -i ${url}/
[try]   401  ${curl(cluster.tokenFiles.otherAudience)}   # issued for another service
[try]   401  ${curl(cluster.tokenFiles.expired)}   # expired
[try]   403  ${curl(cluster.service1TokenFile, '/admin')}   # authenticated, but not an admin
[try]   200  ${curl(cluster.tokenFiles.admin, '/admin')}   # mytest/admin
[try]   the stand-in: kubectl --kubeconfig ${cluster.kubeconfig} create token default -n mytest --audience x
[try] here: t + Enter rotates the token, k + Enter the signing key, Ctrl-C stops
`);
}
