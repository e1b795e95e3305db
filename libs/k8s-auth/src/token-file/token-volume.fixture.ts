import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { CapturedLog } from '../../test-support/captured-log.js';
import { FakeClock } from '../../testing/fake-clock.js';
import { type Clock } from '../util/clock.js';
import { FileTokenSource } from './file-token-source.js';
import { readTokenFile } from './token-file.js';

export { CapturedLog as RecordingLog };

/** A directory with the layout of the kubelet: `token -> ..data/token`, `..data -> ..<timestamp>`, replaced by a rename. */
export class TokenVolume {
  private readonly directory = mkdtempSync(join(tmpdir(), 'token-volume-'));
  readonly file = join(this.directory, 'token');

  constructor(content?: string | Buffer) {
    symlinkSync(join('..data', 'token'), this.file);
    if (content !== undefined) this.write(content);
  }

  write(content: string | Buffer): void {
    this.swap((target) => writeFileSync(target, content));
  }

  /** Replaces the token by a directory, to simulate an unreadable file: a test that runs as root can read every file. */
  writeDirectory(): void {
    this.swap((target) => mkdirSync(target));
  }

  empty(): void {
    this.swap(() => {});
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  private swap(fill: (target: string) => void): void {
    const version = `..${randomUUID()}`;
    mkdirSync(join(this.directory, version));
    fill(join(this.directory, version, 'token'));
    symlinkSync(version, join(this.directory, '..data_tmp'));
    renameSync(join(this.directory, '..data_tmp'), join(this.directory, '..data'));
  }
}

/** Signs tokens like a cluster: with one key, and its `kid` in each header. */
export class TokenMint {
  private readonly key: KeyObject = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  private readonly keyId = randomUUID();

  constructor(private readonly clock: Clock) {}

  /** @param claims override the default claims; `undefined` removes a claim */
  mint(claims: Record<string, unknown> = {}, lifeSeconds = 3600, header: object = {}): Promise<string> {
    const nowSeconds = Math.floor(this.clock.wallMs() / 1000);
    return new SignJWT({
      iss: 'https://issuer.test',
      aud: ['service2'],
      iat: nowSeconds,
      exp: nowSeconds + lifeSeconds,
      jti: randomUUID(),
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', kid: this.keyId, ...header })
      .sign(this.key);
  }
}

/** A token source that reads the file of a volume, with its clock and log. The volume is empty at first. */
export class TokenFileBench {
  readonly clock = new FakeClock();
  readonly log = new CapturedLog();
  readonly mint = new TokenMint(this.clock);
  readonly volume = new TokenVolume();
  readonly source: FileTokenSource;
  /** How often the file was read. */
  reads = 0;

  constructor(expected: { readonly audience?: string } = {}) {
    this.source = new FileTokenSource({
      ...expected,
      file: this.volume.file,
      clock: this.clock,
      log: this.log,
      read: (file) => {
        this.reads++;
        return readTokenFile(file);
      },
    });
  }
}
