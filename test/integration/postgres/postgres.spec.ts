import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Pool } from 'pg';
import { TokenMint, TokenVolume } from '../../../libs/k8s-auth/src/token-file/token-volume.fixture.js';
import { K8sAuthTokenSource } from '../../../libs/k8s-auth/src/outbound/k8s-auth-token-source.js';
import { CapturedLog } from '../../../libs/k8s-auth/test-support/captured-log.js';
import { FakeClock } from '../../../libs/k8s-auth/testing/fake-clock.js';
import { findPostgres, PostgresServer } from './postgres.fixture.js';

const programs = findPostgres();
const ifInstalled = programs === undefined ? describe.skip : describe;
const note = programs === undefined ? ' (skipped: initdb and postgres are not installed)' : '';

ifInstalled(`a PostgreSQL server as a destination${note}`, () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await PostgresServer.start(programs ?? '');
  }, 120_000);

  afterAll(() => server.close());

  it('gets the token that is in the file now as the password of each new connection', async () => {
    const clock = new FakeClock();
    const mint = new TokenMint(clock);
    const [first, second] = [await mint.mint(), await mint.mint()];
    const volume = new TokenVolume(first);
    const origin = `postgres://127.0.0.1:${server.port}`;
    const tokenSource = new K8sAuthTokenSource([{ origin, tokenFile: volume.file }], {
      clock,
      log: new CapturedLog(),
    });
    const password = async () => (await tokenSource.getToken(origin)) ?? '';
    const pool = new Pool({
      host: '127.0.0.1',
      port: server.port,
      user: 'app',
      database: 'postgres',
      password,
    });
    // The pool reports a connection that the server has ended.
    pool.on('error', () => {});
    try {
      await server.accept(first);
      expect((await pool.query('SELECT current_user AS name')).rows).toEqual([{ name: 'app' }]);

      await server.accept(second);
      volume.write(second);
      // The connection was authenticated before, so it stays usable.
      expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
      const ended = new Promise((resolve) => pool.once('remove', resolve));
      await server.disconnect();
      await ended;
      await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: '28P01' });

      await clock.advance(61_000);
      expect((await pool.query('SELECT current_user AS name')).rows).toEqual([{ name: 'app' }]);
    } finally {
      await pool.end();
      volume.remove();
    }
  });
});
