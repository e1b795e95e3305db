import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import axios, { CanceledError } from 'axios';
import { readTokenFile, type TokenFileContent } from '../../shared/token-file.js';
import { K8sAuthTokenSource } from '../k8s-auth-token-source.js';
import { type ListedServer, OutboundBench } from './outbound.fixture.js';

describe('a request whose signal fires while the token file is read', () => {
  let bench: OutboundBench;
  let listed: ListedServer;
  let controller: AbortController;
  /** Lets go of the reads that wait. */
  let release: () => void;
  /** A read has begun to wait. */
  let reading: Promise<void>;

  beforeEach(async () => {
    bench = new OutboundBench();
    listed = await bench.listedServer();
    controller = new AbortController();
  });
  afterEach(() => bench.close());

  /** A client whose reads hang from the given one on, as on a file system that does not answer. */
  function clientHangingFrom(first: number) {
    const { origin, volume } = listed;
    const released = new Promise<void>((resolve) => (release = resolve));
    let reads = 0;
    let begin = () => {};
    reading = new Promise((resolve) => (begin = resolve));
    const read = async (file: string): Promise<TokenFileContent> => {
      if (++reads >= first) {
        begin();
        await released;
      }
      return readTokenFile(file);
    };
    const destinations = [{ origin, tokenFile: volume.file }];
    const { clock, log } = bench;
    return bench.client(new K8sAuthTokenSource(destinations, { clock, log, read }), { baseURL: origin });
  }

  it('ends as axios ends it, and sends nothing', async () => {
    const answer = clientHangingFrom(1).get('/', { signal: controller.signal });
    await reading;
    controller.abort();
    const error: unknown = await answer.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CanceledError);
    expect(error).toMatchObject({ code: 'ERR_CANCELED', config: { url: '/' } });
    expect(axios.isCancel(error)).toBe(true);
    release();
    expect(listed.server.arrivals).toHaveLength(0);
  });

  it('does not wait when it fired before', async () => {
    controller.abort();
    const answer = clientHangingFrom(1).get('/', { signal: controller.signal });
    await expect(answer).rejects.toMatchObject({ code: 'ERR_CANCELED' });
  });

  it('ends also while the file is read again after a 401', async () => {
    const next = await bench.mint.mint();
    listed.server.answer = (_arrival, response) => {
      listed.volume.write(next);
      response.writeHead(401).end();
    };
    const answer = clientHangingFrom(2).get('/', { signal: controller.signal });
    await reading;
    controller.abort();
    await expect(answer).rejects.toMatchObject({ code: 'ERR_CANCELED' });
    expect(listed.server.arrivals).toHaveLength(1);
  });

  it('leaves others that wait for the same read to go on', async () => {
    const client = clientHangingFrom(1);
    const aborted = client.get('/', { signal: controller.signal });
    const other = client.get('/other', { signal: new AbortController().signal });
    await reading;
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'ERR_CANCELED' });
    release();
    expect((await other).status).toBe(200);
    expect(listed.server.arrivals.map(({ url }) => url)).toEqual(['/other']);
  });
});
