import { expect, it } from '@jest/globals';
import { hasRealCluster, TARGETS } from './support/targets.fixture.js';

if (hasRealCluster) {
  it('the stand-in and a real API server received the same requests', () => {
    expect(TARGETS).toHaveLength(2);
  });
} else {
  // eslint-disable-next-line jest/no-disabled-tests -- its name tells the reader of the run what was not tested
  it.skip('only the stand-in was tested: CONTRACT_KUBECONFIG names no real API server', () => {
    expect(TARGETS).toHaveLength(1);
  });
}
