import { describe, expect, it } from '@jest/globals';
import { CapturedLog } from '../../test-support/captured-log.js';
import { FakeClock } from '../../testing/fake-clock.js';
import { type TokenRotatedEvent } from './event-types.js';
import { K8sAuthEvents } from './k8s-auth.events.js';

const rotated: TokenRotatedEvent = { tokenFile: '/var/run/secrets/orders/token' };

function setUp() {
  const clock = new FakeClock();
  const log = new CapturedLog();
  return { clock, log, events: new K8sAuthEvents({ clock, log }) };
}

describe('K8sAuthEvents', () => {
  it('calls the listeners of an event in the order of their subscriptions, as methods', () => {
    const { events } = setUp();
    class Counter {
      constructor(private readonly name: string) {}
      onTokenRotated(event: TokenRotatedEvent) {
        called.push([this.name, event]);
      }
    }
    const called: unknown[] = [];
    events.subscribe(new Counter('first'));
    events.subscribe(new Counter('second'));
    events.emit('onTokenRotated', rotated);
    expect(called).toEqual([
      ['first', rotated],
      ['second', rotated],
    ]);
  });

  it('reports for each event whether anybody listens', () => {
    const { events } = setUp();
    const unsubscribe = events.subscribe({ onTokenRotated: () => {} });
    expect([events.hears('onTokenRotated'), events.hears('onVerified')]).toEqual([true, false]);
    unsubscribe();
    expect(events.hears('onTokenRotated')).toBe(false);
  });

  it('removes only the subscription whose function was called, even if a listener subscribed twice', () => {
    const { events } = setUp();
    let calls = 0;
    const listener = { onTokenRotated: () => void calls++ };
    const unsubscribe = events.subscribe(listener);
    events.subscribe(listener);
    unsubscribe();
    unsubscribe();
    events.emit('onTokenRotated', rotated);
    expect(calls).toBe(1);
  });

  it('logs the error of a listener once a minute, and calls the other listeners', async () => {
    const { events, clock, log } = setUp();
    let calls = 0;
    events.subscribe({
      onTokenRotated: () => {
        throw new Error('disk is full');
      },
    });
    events.subscribe({ onTokenRotated: () => void calls++ });
    events.emit('onTokenRotated', rotated);
    events.emit('onTokenRotated', rotated);
    expect(calls).toBe(2);
    expect(log.messages('error')).toEqual(['listener onTokenRotated failed: disk is full']);
    await clock.advance(60_000);
    events.emit('onTokenRotated', rotated);
    expect(log.messages('error')).toHaveLength(2);
  });

  it('logs the rejection of a listener that is an async function', async () => {
    const { events, log } = setUp();
    events.subscribe({ onTokenRotated: () => Promise.reject(new Error('no answer')) as unknown as void });
    events.emit('onTokenRotated', rotated);
    await Promise.resolve();
    expect(log.messages('error')).toEqual(['listener onTokenRotated failed: no answer']);
  });

  it('removes a token from the error of a listener before it is logged', () => {
    const { events, log } = setUp();
    events.subscribe({
      onTokenRotated: () => {
        throw new Error('cannot send eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln');
      },
    });
    events.emit('onTokenRotated', rotated);
    expect(log.messages('error')).toEqual(['listener onTokenRotated failed: cannot send [token]']);
  });
});
