import { type Attributes, context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { type Operation, type OperationObserver, type OperationResult } from '../src/index.js';

const TRACER = 'nest-k8s-auth';

const NAMES = { verify: 'k8s_auth.verify', review: 'k8s_auth.token_review' } as const;

/**
 * Starts the span of an operation, and makes it the parent of the spans that the operation itself causes, such as the
 * request to the API server.
 *
 * Attributes by the semantic conventions: `enduser.id` (the caller of an accepted token), `error.type`, and for a review,
 * which is a request to a peer, `server.address` and `server.port`.
 */
export function traceOperation({ name, verifier, serverUrl }: Operation): OperationObserver {
  // Looked up at each use, because a provider may be registered after this module was created.
  const span = trace.getTracer(TRACER).startSpan(NAMES[name], {
    // The request itself gets a span of the kind CLIENT from the instrumentation of the HTTP client.
    kind: SpanKind.INTERNAL,
    attributes: { 'k8s_auth.verifier': verifier, ...(serverUrl !== undefined && peerOf(serverUrl)) },
  });
  return {
    run: (work) => void context.with(trace.setSpan(context.active(), span), work),
    end: (result) => endSpan(span, result),
  };
}

function peerOf(serverUrl: string): Attributes {
  const { hostname, port, protocol } = new URL(serverUrl);
  return {
    'server.address': hostname,
    'server.port': port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port),
  };
}

function endSpan(span: Span, { outcome, code, username }: OperationResult): void {
  span.setAttribute('k8s_auth.outcome', outcome);
  if (username !== undefined) span.setAttribute('enduser.id', username);
  if (outcome !== 'accepted') span.setAttribute('error.type', code ?? '_OTHER');
  // A token that was rejected is an answer. Only a verification that could not decide has failed.
  if (outcome === 'unavailable') span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  span.end();
}
