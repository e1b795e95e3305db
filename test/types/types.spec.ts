import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../support/compile.js';

const FIXTURE = 'test/types/fixtures/must-not-compile.ts';
const text = readFileSync(join(import.meta.dirname, 'fixtures/must-not-compile.ts'), 'utf8');

describe('the public types', () => {
  it('reject every mistake in the fixture', () => {
    expect(compile({ [FIXTURE]: text })).toEqual([]);
  });

  it('are used to check the fixture: a mistake that compiles is reported', () => {
    const harmless = `${text}\n// @ts-expect-error nothing wrong here\nexport const fine: VerifierOptions = { kind: 'tokenreview' };\n`;
    expect(compile({ [FIXTURE]: harmless })).toEqual([expect.stringContaining("Unused '@ts-expect-error'")]);
  });

  it.each(['cts', 'mts'])('accept the axios of both module systems: .%s', (extension) => {
    const importAxios =
      extension === 'cts' ? "import axios = require('axios');" : "import axios from 'axios';";
    const consumer = `${importAxios}
      import { type HttpService } from '@nestjs/axios';
      import { attachK8sAuth, type K8sAuthTokenSource } from 'nest-k8s-auth';
      export function attach(http: HttpService, tokenSource: K8sAuthTokenSource): void {
        attachK8sAuth(axios, tokenSource);
        attachK8sAuth(axios.create(), tokenSource);
        attachK8sAuth(http.axiosRef, tokenSource);
        // @ts-expect-error not an axios instance
        attachK8sAuth({}, tokenSource);
      }`;
    expect(compile({ [`test/types/fixtures/consumer.${extension}`]: consumer })).toEqual([]);
  });
});
