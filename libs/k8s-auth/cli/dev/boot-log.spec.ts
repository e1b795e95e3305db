import { expect, it } from '@jest/globals';
import { isBootLine } from './boot-log.js';

it.each([
  '[Nest] 42  - 11/26/2026, 6:43:03 AM     LOG [NestFactory] Starting Nest application...',
  '[Nest] 42  - 11/26/2026, 6:43:03 AM     LOG [RouterExplorer] Mapped {/orders, GET} route +1ms',
  '\u001b[32m[Nest] 42  - \u001b[39m11/26/2026, 6:43:03 AM \u001b[32m    LOG\u001b[39m \u001b[38;5;3m[InstanceLoader] \u001b[39m\u001b[32mAppModule dependencies initialized\u001b[39m',
  '{"level":"log","pid":42,"timestamp":1,"message":"Mapped {/, GET} route","context":"RouterExplorer"}',
])('recognizes what Nest logs at every start: %j', (line) => {
  expect(isBootLine(line)).toBe(true);
});

it.each([
  '[Nest] 42  - 11/26/2026, 6:43:03 AM     LOG [OrdersService] [NestFactory] is a word here',
  '[Nest] 42  - 11/26/2026, 6:43:03 AM   ERROR [NestFactory] cannot start',
  '[Nest] 42  - 11/26/2026, 6:43:03 AM    WARN [RouterExplorer] a duplicate route',
  '[Nest] 42  - 11/26/2026, 6:43:03 AM     LOG [K8sAuth] ready',
  '{"level":"error","message":"x","context":"NestFactory"}',
  'LOG [NestFactory] printed by the application',
  '',
])('keeps every other line: %j', (line) => {
  expect(isBootLine(line)).toBe(false);
});
