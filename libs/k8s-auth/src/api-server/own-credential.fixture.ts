import { afterEach, beforeEach } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '../../testing/index.js';
import { endless } from '../http/https-server.fixture.js';
import { ApiServerClient } from './api-server.client.js';
import { requireApiServer } from './api-server.connection.js';
import { type ApiServerOptions } from './api-server.options.js';
import { CapturedLog } from './own-cluster.fixture.js';

/** A folder, a clock and a log for each test of an own credential; what a test opens is closed after it. */
export class CredentialBench {
  directory = '';
  clock = new FakeClock();
  log = new CapturedLog();
  readonly toClose: (() => Promise<void>)[] = [];

  constructor() {
    beforeEach(() => {
      this.directory = mkdtempSync(join(tmpdir(), 'forms-'));
      this.clock = new FakeClock();
      this.log = new CapturedLog();
    });
    afterEach(async () => {
      for (const close of this.toClose.splice(0)) await close();
      rmSync(this.directory, { recursive: true });
    });
  }

  write(name: string, content: string | Buffer): string {
    const file = join(this.directory, name);
    writeFileSync(file, content);
    return file;
  }

  async connect(options: ApiServerOptions): Promise<ApiServerClient> {
    const { clock, log, directory } = this;
    const connection = await requireApiServer(options, { clock, log, environment: {}, podRoot: directory });
    const client = new ApiServerClient(connection, { clock, log, random: () => 0 });
    this.toClose.push(() => client.close());
    return client;
  }
}

/** One request without retries. */
export function ask(client: ApiServerClient) {
  return client.request({
    method: 'GET',
    path: '/openid/v1/jwks',
    accept: '*/*',
    deadline: endless(),
    retry: false,
  });
}
