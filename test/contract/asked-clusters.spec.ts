import { expect, it } from '@jest/globals';
import { hasRealCluster, TARGETS } from './support/targets.fixture.js';

if (hasRealCluster) {
  it('the stand-in and a real API server were asked the same', () => {
    expect(TARGETS).toHaveLength(2);
  });
} else {
  // eslint-disable-next-line jest/no-disabled-tests -- its name is the line that the run owes its reader
  it.skip('only the stand-in was asked: CONTRACT_KUBECONFIG names no real API server', () => {
    expect(TARGETS).toHaveLength(1);
  });
}
