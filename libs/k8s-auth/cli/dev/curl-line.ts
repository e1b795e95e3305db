/**
 * A command for the user's shell; on Windows one that cmd.exe and PowerShell both understand. It reads the token from its
 * file, so it stays valid when the token is rotated, and no token is printed.
 */
export function curlLine(url: string, tokenFile: string | undefined, platform: NodeJS.Platform): string {
  if (platform === 'win32') return windowsLine(url, tokenFile);
  if (tokenFile === undefined) return `curl -i ${quote(url)}`;
  return `curl -i -H "Authorization: Bearer $(cat ${quote(tokenFile)})" ${quote(url)}`;
}

/**
 * In Windows PowerShell, `curl` is another command. cmd.exe cannot insert the content of a file, so curl reads the file:
 * `--variable` exists since curl 8.3, and Windows has a later one. Both shells take double quotes only.
 */
function windowsLine(url: string, tokenFile: string | undefined): string {
  if (tokenFile === undefined) return `curl.exe -i "${url}"`;
  return `curl.exe -i --variable "token@${tokenFile}" --expand-header "Authorization: Bearer {{token}}" "${url}"`;
}

function quote(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
