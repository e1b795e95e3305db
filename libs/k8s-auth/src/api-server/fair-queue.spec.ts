import { describe, expect, it } from '@jest/globals';
import { FairQueue, type QueuedCall, type Rank } from './fair-queue.js';

const never = new AbortController().signal;

/** A queue that runs one call at a time, and a record of the calls that got a turn or were refused. */
function filledQueue(maxWaiting: number) {
  const queue = new FairQueue(1, maxWaiting);
  const outcomes: string[] = [];
  const calls: Promise<void>[] = [];
  const running: QueuedCall[] = [];
  const leave = () => {
    const call = running.shift();
    if (call) queue.leave(call);
  };
  const call = (name: string, given: Partial<QueuedCall> = {}, signal = never) => {
    const queued: QueuedCall = { rank: 'unknown', ...given };
    const entered = (async () => queue.enter({ signal }, queued))().then(
      () => {
        outcomes.push(name);
        running.push(queued);
      },
      (error: Error) => void outcomes.push(`${name}: ${error.message}`),
    );
    calls.push(entered);
    return entered;
  };
  return {
    outcomes,
    call,
    leave,
    /** Ends the running call and then each waiting call, one by one. */
    drain: async () => {
      for (const _ of calls) {
        leave();
        await settle();
      }
      await Promise.all(calls);
      return outcomes;
    },
  };
}

function from(address: string, isClosed = () => false): Pick<QueuedCall, 'connection'> {
  return { connection: { address, isClosed } };
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('FairQueue', () => {
  it('limits the running calls, and runs the other calls in the order of arrival', async () => {
    const queue = new FairQueue(2, 10);
    const order: number[] = [];
    const calls = [1, 2, 3, 4].map(async (n) => {
      await queue.enter({ signal: never }, { rank: 'unknown' });
      order.push(n);
    });
    await settle();
    expect(order).toEqual([1, 2]);
    queue.leave({ rank: 'unknown' });
    await settle();
    expect(order).toEqual([1, 2, 3]);
    queue.leave({ rank: 'unknown' });
    await Promise.all(calls);
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it('has all places free again after all calls have left', async () => {
    const { call, drain } = filledQueue(10);
    for (const name of ['a', 'b', 'c']) void call(name);
    await drain();
    const { outcomes, call: callAgain } = filledQueue(0);
    await callAgain('d');
    expect(outcomes).toEqual(['d']);
  });

  it('gives the place of a finished call to the next waiting call, not to a new call', async () => {
    const { call, leave, outcomes, drain } = filledQueue(10);
    await call('running');
    void call('next');
    leave();
    void call('newcomer');
    await settle();
    expect(outcomes).toEqual(['running', 'next']);
    expect(await drain()).toEqual(['running', 'next', 'newcomer']);
  });

  it('runs waiting calls in the order of their rank', async () => {
    const { call, drain } = filledQueue(10);
    await call('running');
    for (const name of ['doubtful a', 'doubtful b']) void call(name, { rank: 'doubtful' });
    for (const name of ['a', 'b']) void call(name);
    for (const name of ['proven a', 'proven b']) void call(name, { rank: 'proven' });
    expect(await drain()).toEqual(['running', 'proven a', 'proven b', 'a', 'b', 'doubtful a', 'doubtful b']);
  });

  it('gives doubtful calls at most a quarter of the places, even if other places are free', async () => {
    const queue = new FairQueue(8, 10);
    const running: string[] = [];
    const call = async (name: string, rank: Rank) => {
      await queue.enter({ signal: never }, { rank });
      running.push(name);
    };
    const calls = ['a', 'b', 'c', 'd'].map((name) => call(name, 'doubtful'));
    calls.push(call('unknown', 'unknown'), call('proven', 'proven'));
    await settle();
    expect(running).toEqual(['a', 'b', 'unknown', 'proven']);
    queue.leave({ rank: 'proven' });
    await settle();
    expect(running).toHaveLength(4);
    queue.leave({ rank: 'doubtful' });
    queue.leave({ rank: 'doubtful' });
    await Promise.all(calls);
    expect(running).toEqual(['a', 'b', 'unknown', 'proven', 'c', 'd']);
  });

  it('alternates between peers', async () => {
    const { call, drain } = filledQueue(10);
    await call('running');
    for (const name of ['a1', 'a2', 'a3']) void call(name, from('10.0.0.1'));
    for (const name of ['b1', 'b2']) void call(name, from('10.0.0.2'));
    void call('c1', from('10.0.0.3'));
    expect(await drain()).toEqual(['running', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });

  it('refuses a call at its turn if its caller has closed the connection', async () => {
    let isClosed = false;
    const { call, drain } = filledQueue(10);
    await call('running');
    void call(
      'gone',
      from('10.0.0.1', () => isClosed),
    );
    void call('here', from('10.0.0.1'));
    isClosed = true;
    expect(await drain()).toEqual(['running', 'gone: caller has closed its connection', 'here']);
  });

  it('makes room by refusing calls whose caller has closed the connection', async () => {
    let isClosed = false;
    const { call, drain } = filledQueue(2);
    await call('running');
    void call(
      'gone',
      from('10.0.0.1', () => isClosed),
    );
    void call('a', from('10.0.0.1'));
    isClosed = true;
    void call('b', from('10.0.0.1'));
    expect(await drain()).toEqual(['running', 'gone: caller has closed its connection', 'a', 'b']);
  });

  const FULL = 'overload: 3 requests wait for the API server';

  it.each([
    {
      newcomer: 'of the peer with the most calls is refused',
      waiting: ['a1', 'a2', 'b1'],
      from: '10.0.0.a',
      refused: 'newcomer',
    },
    {
      newcomer: 'of another peer takes the place of its last call',
      waiting: ['b1', 'a1', 'a2'],
      from: '10.0.0.c',
      refused: 'a2',
    },
    {
      newcomer: 'is refused if all peers have as many calls as its own peer',
      waiting: ['a1', 'b1', 'c1'],
      from: '10.0.0.a',
      refused: 'newcomer',
    },
  ])('when full: a new call $newcomer', async ({ waiting, from: address, refused }) => {
    const { call, outcomes, drain } = filledQueue(3);
    await call('running');
    for (const name of waiting) void call(name, from(`10.0.0.${name[0]}`));
    void call('newcomer', from(address));
    await settle();
    expect(outcomes).toEqual(['running', `${refused}: ${FULL}`]);
    const served = ['running', ...waiting, 'newcomer'].filter((name) => name !== refused);
    expect((await drain()).filter((name) => !name.includes(':')).sort()).toEqual(served.sort());
  });

  it('when full: a call takes the place of a call with a lower rank, never of a higher rank', async () => {
    const { call, outcomes } = filledQueue(2);
    await call('running');
    void call('a', from('10.0.0.1'));
    void call('proven a', { rank: 'proven', ...from('10.0.0.2') });
    void call('proven b', { rank: 'proven', ...from('10.0.0.2') });
    void call('b', from('10.0.0.3'));
    void call('proven c', { rank: 'proven', ...from('10.0.0.2') });
    await settle();
    const full = 'overload: 2 requests wait for the API server';
    expect(outcomes.sort()).toEqual([`a: ${full}`, `b: ${full}`, `proven c: ${full}`, 'running']);
  });

  it('removes a call whose signal fires while it waits', async () => {
    const { call, drain } = filledQueue(10);
    await call('running');
    const impatient = new AbortController();
    void call('impatient', {}, impatient.signal);
    void call('patient');
    impatient.abort(new Error('time is up'));
    expect(await drain()).toEqual([
      'running',
      'impatient: overload: no free place for a request to the API server in time',
      'patient',
    ]);
  });
});
