/** One block of a PEM file (RFC 7468). */
export interface PemBlock {
  /** `PUBLIC KEY`, `CERTIFICATE` … */
  readonly label: string;
  /** With its boundaries, as the platform's parsers take it. */
  readonly pem: string;
}

const BLOCK = /^-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n([^-]*)^-----END \1-----/gm;

const BOUNDARY = /^-----(?:BEGIN|END) /gm;

/**
 * All blocks of a file in their order: the platform's parsers read the first and are silent about the others, while
 * a key that is being rotated in is usually the second. Text around blocks is explanatory and ignored (RFC 7468 §2).
 * @returns `undefined` when a block has a beginning without its end, or the other way round
 * @internal
 */
export function readPemBlocks(text: string): readonly PemBlock[] | undefined {
  const blocks = [...text.matchAll(BLOCK)].map(([pem, label = '']) => ({ label, pem }));
  const boundaries = text.match(BOUNDARY)?.length ?? 0;
  return boundaries === blocks.length * 2 ? blocks : undefined;
}
