/** One block of a PEM file (RFC 7468). */
export interface PemBlock {
  /** `PUBLIC KEY`, `CERTIFICATE` … */
  readonly label: string;
  readonly der: Buffer;
}

const BOUNDARY = /-----(BEGIN|END)(?: ([A-Z0-9][A-Z0-9 ]*)-----)?/g;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const LINE_LENGTH = 64;

/**
 * All blocks of a file in their order. The platform's parsers of keys read the first block and ignore the others, and
 * those of CA certificates silently ignore blocks that are glued together (`-----END X----------BEGIN X-----`) or
 * indented. Here they are read. Text around blocks is explanatory and ignored (RFC 7468 §2), so a block behind `#`
 * does not count.
 * @returns `undefined` when a block has no end, no beginning, another label at its end, or is not base64
 * @internal
 */
export function readPemBlocks(text: string): readonly PemBlock[] | undefined {
  const blocks: PemBlock[] = [];
  let open: { readonly label: string; readonly start: number } | undefined;
  let end = 0;
  for (const { 0: boundary, 1: kind, 2: label, index } of text.matchAll(BOUNDARY)) {
    if (!open && !startsLine(text, index) && !isBlank(text.slice(end, index))) continue;
    if (label === undefined || (kind === 'BEGIN') === (open !== undefined)) return undefined;
    end = index + boundary.length;
    if (!open) {
      open = { label, start: end };
      continue;
    }
    const body = text.slice(open.start, index).replace(/\s+/g, '');
    if (open.label !== label || !BASE64.test(body)) return undefined;
    blocks.push({ label, der: Buffer.from(body, 'base64') });
    open = undefined;
  }
  return open ? undefined : blocks;
}

/** A block as every parser takes it. @internal */
export function formatPem({ label, der }: PemBlock): string {
  const lines = der.toString('base64').match(new RegExp(`.{1,${LINE_LENGTH}}`, 'g')) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function startsLine(text: string, index: number): boolean {
  const lineStart = Math.max(text.lastIndexOf('\n', index), text.lastIndexOf('\r', index)) + 1;
  return isBlank(text.slice(lineStart, index));
}

/** A byte order mark is white space here. */
function isBlank(text: string): boolean {
  return text.trim() === '';
}
