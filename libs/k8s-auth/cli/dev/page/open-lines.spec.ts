import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../../testing/fake-clock.js';
import { OpenLines } from './open-lines.js';

const line = (jti?: string) =>
  `request refused { code: 'ERR_K8S_AUTH_TOKEN_EXPIRED'${jti === undefined ? '' : `, credentialId: 'JTI=${jti}'`} }`;

describe('OpenLines', () => {
  let clock: FakeClock;
  let lines: OpenLines;
  let unclaimed: string[];
  let found: string[];

  beforeEach(() => {
    [clock, unclaimed, found] = [new FakeClock(), [], []];
    lines = new OpenLines(clock, (one) => unclaimed.push(one.line));
  });

  const expectLine = (id: number, tokenId?: string) =>
    lines.expect({ id, tokenId }, (one) => found.push(`${id} ${one}`));

  it('passes a line on to the call with the same token, before and after its answer', () => {
    expectLine(1, 'one');
    expectLine(2, 'two');
    lines.add(line('one'));
    lines.answered(2);
    lines.add(line('two'));
    expect(found).toEqual([`1 ${line('one')}`, `2 ${line('two')}`]);
  });

  it('passes a line without a token on to a call without a token', () => {
    expectLine(1, 'one');
    expectLine(2);
    lines.add(line());
    expect(found).toEqual([`2 ${line()}`]);
  });

  it('passes one line on to each call', () => {
    expectLine(1, 'one');
    lines.add(line('one'));
    lines.add(line('one'));
    expect(found).toHaveLength(1);
    expect(lines.claim(new Set(['one']))).toEqual([line('one')]);
  });

  it('forgets a call a while after its answer', async () => {
    expectLine(1, 'one');
    lines.answered(1);
    await clock.advance(2000);
    lines.add(line('one'));
    expect(found).toEqual([]);
  });

  it('reports a line that no call has claimed', async () => {
    lines.add(line('one'));
    lines.add(line('two'));
    expect(lines.claim(new Set(['two', undefined]))).toEqual([line('two')]);
    expect(unclaimed).toEqual([]);
    await clock.advance(2000);
    expect(unclaimed).toEqual([line('one')]);
  });
});
