import { writeFileSync } from 'node:fs';

const PERIOD_MS = 60_000;
// A key is published this long before it signs, so that key files (read every 10 s) have been read again by then.
const PUBLISH_LEAD_MS = 15_000;

/** Adds a new signing key once a minute. Old keys stay valid; `file` holds all keys, as `sa.pub` does. */
export function rotateSigningKeys(cluster, file, { onPublish, onRotate }) {
  const write = () => writeFileSync(file, cluster.publicKeysPem());
  write();
  async function rotate() {
    const kid = await cluster.publishKey();
    write();
    onPublish(kid);
    setTimeout(() => {
      cluster.signWith(kid);
      onRotate(kid);
    }, PUBLISH_LEAD_MS);
  }
  const timer = setInterval(() => void rotate(), PERIOD_MS);
  return { file, rotate: () => void rotate(), stop: () => clearInterval(timer) };
}
