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

it('is for cmd.exe and PowerShell on Windows, with double quotes only', () => {
  expect(curlLine(`${URL}?a=1&b=2`, "C:\\Users\\Ann O'Neil\\token", 'win32')).toBe(
    `curl.exe -i --variable "token@C:\\Users\\Ann O'Neil\\token" --expand-header "Authorization: Bearer {{token}}" "${URL}?a=1&b=2"`,
  );
  expect(curlLine(URL, undefined, 'win32')).toBe(`curl.exe -i "${URL}"`);
});

it('sends nothing without a token', () => {
  expect(curlLine(`${URL}?a=1&b=2`, undefined, 'linux')).toBe(`curl -i '${URL}?a=1&b=2'`);
});
