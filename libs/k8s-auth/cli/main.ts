import { runCommandLine } from './run.js';

// `exitCode` instead of `exit`, so that output to a pipe is complete.
process.exitCode = await runCommandLine(process.argv.slice(2));
