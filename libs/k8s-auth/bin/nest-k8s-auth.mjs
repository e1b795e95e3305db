#!/usr/bin/env node
// Plain JavaScript that older versions of Node can parse, so that they get one sentence instead of a syntax error.
const [major, minor] = process.versions.node.split('.').map(Number);
// `engines` of package.json.
if (major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) {
  import('../dist/cli/main.js');
} else {
  console.error(
    `nest-k8s-auth needs Node 20.19 or 22.12 or later, and this is Node ${process.versions.node}.`,
  );
  process.exitCode = 2;
}
