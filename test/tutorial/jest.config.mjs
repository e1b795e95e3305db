import workspace from '../../jest.config.mjs';

const [{ displayName: _, ...base }] = workspace.projects;

export default {
  ...base,
  testMatch: ['<rootDir>/test/tutorial/*.cluster.ts'],
  // The blocks of one page build on each other.
  maxWorkers: 1,
  verbose: true,
};
