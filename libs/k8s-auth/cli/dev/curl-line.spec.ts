import { expect, it } from '@jest/globals';
import { curlLine } from './curl-line.js';

const URL = 'http://localhost:3000/orders';

it('reads the token from its file, so that the line stays valid when the token is rotated', () => {
  expect(curlLine(URL, '/tmp/x/token', 'linux')).toBe(
    `curl -i -H "Authorization: Bearer $(cat /tmp/x/token)" ${URL}`,
  );
});

it('quotes a path with spaces and quotes', () => {
  expect(curlLine(URL, "/tmp/it's mine/token", 'darwin')).toContain(`$(cat '/tmp/it'\\''s mine/token')`);
});

it('is for PowerShell on Windows', () => {
  expect(curlLine(URL, "C:\\Users\\O'Neil\\token", 'win32')).toBe(
    `curl.exe -i -H "Authorization: Bearer $(Get-Content -Raw 'C:\\Users\\O''Neil\\token')" ${URL}`,
  );
});

it('sends nothing without a token', () => {
  expect(curlLine(`${URL}?a=1&b=2`, undefined, 'linux')).toBe(`curl -i '${URL}?a=1&b=2'`);
});
