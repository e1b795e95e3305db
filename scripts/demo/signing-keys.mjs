import { writeFileSync } from 'node:fs';

const PERIOD_MS = 60_000;
// Published this long before it signs, so that a file of keys has been read again (every 10 s).
const PUBLISH_LEAD_MS = 15_000;

/** A new signing key once a minute, the old ones staying good; `file` holds all of them, as `sa.pub` does. */
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
