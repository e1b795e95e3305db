import { types } from 'node:util';

const REUSABLE_CLASSES = ['Blob', 'File', 'FormData', 'URLSearchParams'];

/** Whether a body can be sent again: text, bytes, a `Blob`, a `FormData`. @internal */
export function isReusableBody(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === 'string') return true;
  if (types.isAnyArrayBuffer(body) || ArrayBuffer.isView(body)) return true;
  return !isForm(body) && REUSABLE_CLASSES.includes(Object.prototype.toString.call(body).slice(8, -1));
}

/** A form of the package form-data. axios also creates one from an object. It is a stream that can be read once. */
interface FormStream {
  readonly _streams: unknown[];
  getBuffer(): Buffer;
  getHeaders(): Record<string, string>;
}

/** Whether a body is a form of the package form-data. @internal */
export function isForm(body: unknown): body is FormStream {
  const { _streams, getBuffer, getHeaders } = (body ?? {}) as Partial<FormStream>;
  return Array.isArray(_streams) && typeof getBuffer === 'function' && typeof getHeaders === 'function';
}

/** Frees the connection of a response whose body is not read. @internal */
export function discard(body: unknown): void {
  const { destroy, cancel } = (body ?? {}) as { destroy?: unknown; cancel?: unknown };
  if (typeof destroy === 'function') destroy.call(body);
  else if (typeof cancel === 'function') void Promise.resolve(cancel.call(body)).catch(() => {});
}

/** Bodies inside a `Request` object are kept up to this size, because nothing shows whether they are text or a stream. */
const MAX_KEPT_BYTES = 1_048_576;

/**
 * Keeps the body of a `Request` object while the request is sent, so that it can be sent again. Must be called before
 * the request is sent.
 * @returns the bytes, or a stream, which cannot be sent again, if the body is longer than 1 MiB
 * @internal
 */
export async function bodyOf(request: Request): Promise<unknown> {
  // A used body cannot be cloned. The request that is being sent fails, too.
  const copy = request.bodyUsed ? null : request.body && request.clone().body;
  if (!copy) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of copy as unknown as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      size += chunk.byteLength;
      // The end of the loop cancels the copy, so that the rest is not kept.
      if (size > MAX_KEPT_BYTES) return copy;
    }
    return Buffer.concat(chunks);
  } catch {
    // The stream has failed: the request that is being sent fails too.
    return copy;
  }
}
