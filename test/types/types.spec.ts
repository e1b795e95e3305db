import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../support/compile.js';

const FIXTURE = 'test/types/fixtures/must-not-compile.ts';
const text = readFileSync(join(import.meta.dirname, 'fixtures/must-not-compile.ts'), 'utf8');

describe('the public types', () => {
  it('refuse every mistake of the fixture', () => {
    expect(compile({ [FIXTURE]: text })).toEqual([]);
  });

  it('are what the fixture is checked against: a mistake that compiles is reported', () => {
    const harmless = `${text}\n// @ts-expect-error nothing wrong here\nexport const fine: VerifierOptions = { kind: 'tokenreview' };\n`;
    expect(compile({ [FIXTURE]: harmless })).toEqual([expect.stringContaining("Unused '@ts-expect-error'")]);
  });
});
