import workspace from '../../jest.config.mjs';

const [base] = workspace.projects;

export default {
  ...base,
  displayName: 'cluster',
  testMatch: ['<rootDir>/test/cluster/*.spec.ts'],
  // One cluster, one scenario after the other: each takes its own deployment away.
  maxWorkers: 1,
  testTimeout: 120_000,
};
