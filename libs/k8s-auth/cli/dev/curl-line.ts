/**
 * A command for the user's shell, PowerShell on Windows. It reads the token from its file, so it stays valid when the
 * token is rotated, and no token is printed.
 */
export function curlLine(url: string, tokenFile: string | undefined, platform: NodeJS.Platform): string {
  const isWindows = platform === 'win32';
  // In Windows PowerShell, `curl` is another command.
  const curl = isWindows ? 'curl.exe' : 'curl';
  if (tokenFile === undefined) return `${curl} -i ${quote(url)}`;
  const file = isWindows ? `'${tokenFile.replaceAll("'", "''")}'` : quote(tokenFile);
  const token = isWindows ? `$(Get-Content -Raw ${file})` : `$(cat ${file})`;
  return `${curl} -i -H "Authorization: Bearer ${token}" ${quote(url)}`;
}

function quote(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
