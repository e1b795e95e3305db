import workspace from '../../jest.config.mjs';

const [base] = workspace.projects;

export default {
  ...base,
  displayName: 'cluster',
  testMatch: ['<rootDir>/test/cluster/*.spec.ts'],
  // One scenario after the other, because they share a cluster. Each removes its own deployment.
  maxWorkers: 1,
  testTimeout: 120_000,
};
