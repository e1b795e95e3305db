import { describe, expect, it } from '@jest/globals';
import { type Explanation, type Outcome } from '../../explain/explain-token.js';
import { noteAbout } from './check-call.js';

const explained = (outcome: Outcome): Explanation => ({
  ...{ subject: 'x', verifier: 'tokenreview', isGenuine: true, checks: [] },
  outcome,
});
const ACCEPTED = explained({ kind: 'accepted', status: 200 });
const REFUSED = explained({
  kind: 'refused',
  status: 401,
  code: 'ERR_K8S_AUTH_TOKEN_REJECTED',
  message: 'x',
});
const UNDECIDED = explained({ kind: 'undecided', status: 503, message: 'x' });
const note = (status: number | undefined, explanation: Explanation, code?: string) =>
  noteAbout({ status, code }, explanation);

describe('noteAbout', () => {
  it('adds no note if the checks agree with the answer, or if no answer came', () => {
    expect(note(200, ACCEPTED)).toBeUndefined();
    expect(note(204, ACCEPTED)).toBeUndefined();
    expect(note(401, REFUSED)).toBeUndefined();
    expect(note(401, REFUSED, 'ERR_K8S_AUTH_TOKEN_REJECTED')).toBeUndefined();
    expect(note(503, UNDECIDED)).toBeUndefined();
    expect(note(undefined, REFUSED)).toBeUndefined();
  });

  it('names the rule of a route that refuses an accepted token', () => {
    expect(note(403, ACCEPTED)).toMatch(/A rule of the route/);
  });

  it('names the memory of a service that accepts more than the checks', () => {
    expect(note(200, REFUSED)).toMatch(/in memory/);
    expect(note(200, UNDECIDED)).toMatch(/in memory/);
  });

  it('says that the checks were made afterwards where they differ otherwise', () => {
    expect(note(401, ACCEPTED)).toMatch(/answered 401.*afterwards/);
    expect(note(503, REFUSED)).toMatch(/answered 503.*afterwards/);
    expect(note(401, REFUSED, 'ERR_K8S_AUTH_TOKEN_SIGNATURE')).toMatch(/names ERR_K8S_AUTH_TOKEN_SIGNATURE/);
  });
});
