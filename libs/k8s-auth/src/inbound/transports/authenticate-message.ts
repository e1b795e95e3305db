import { type ExecutionContext } from '@nestjs/common';
import {
  MalformedCredentialsError,
  MissingTokenError,
  UndecoratedRouteError,
  VerifierUnavailableError,
} from '../../errors.js';
import { audienceKeyOf } from '../../identity/names.js';
import { type Verdict } from '../../verifiers/verifier.js';
import {
  checkPrincipal,
  isThenable,
  type Progress,
  refuseChecked,
  verifyFor,
} from '../request/authentication-steps.js';
import { tokenIn } from '../request/bearer-token.js';
import { AcceptedRequestEvent } from '../request/accepted-request.event.js';
import { refuse } from '../request/refusal.js';
import { isRememberedUnenforced } from '../request/unenforced-request.js';
import { type InboundRoot, type Route } from '../routes/route.js';
import { tokenOfConnection } from './long-lived-connections.js';
import { callerKeyOf, keepCaller, type MessageRecord, recordOf } from './message-record.js';
import { type Transport } from './transport.js';

/** One message for one handler. */
interface Message {
  readonly context: ExecutionContext;
  readonly transport: Transport;
  readonly route: Route;
  readonly root: InboundRoot;
}

/**
 * Accepts or refuses a message outside of HTTP routes for a known handler.
 * @param isClosed whether handlers without a decorator are refused
 * @throws the error of the transport, see `Transport.toError`
 * @internal
 */
export function decideMessage(message: Message, isClosed: boolean): true | Promise<true> {
  const { context, transport, route, root } = message;
  if (route.policy.kind === 'protected') return authenticateMessage(message);
  if (route.policy.kind === 'public') return passPublic(context, transport);
  if (!isClosed || transport.isBelowDecided?.(context)) return true;
  const refused = { context, enforce: route.enforce };
  return refuse(root, refused, new UndecoratedRouteError('handler has neither @K8sAuth nor @Public'));
}

/** Parameters with `@Caller` are `undefined` there. */
function passPublic(context: ExecutionContext, transport: Transport): true {
  const key = callerKeyOf(context, transport);
  if (key) recordOf(key).notePublic(context.getHandler());
  transport.noteDecided?.(context);
  return true;
}

/** The same steps as for an HTTP request, once per message and handler. */
function authenticateMessage(message: Message): true | Promise<true> {
  const { context, route, root } = message;
  const progress: Progress = { context, enforce: route.enforce };
  try {
    const result = authenticateOnce(progress, message);
    return result === true ? true : result.catch((error: unknown) => refuseChecked(root, progress, error));
  } catch (error) {
    return refuseChecked(root, progress, error);
  }
}

function authenticateOnce(progress: Progress, message: Message): true | Promise<true> {
  const { context, transport, route, root } = message;
  const undecidable = transport.undecidable?.(context);
  if (undecidable !== undefined) throw new VerifierUnavailableError(undecidable);
  const key = transport.messageOf(context);
  if (!key) throw new MissingTokenError('message has no place for credentials');
  const record = recordOf(key);
  if (record.acceptedFor(context, root)) return true;
  if (!route.enforce && isRememberedUnenforced(context)) return true;
  const token = record.token ?? readToken(message);
  // Other handlers of the message need it after it has been removed.
  record.keepToken(token);
  progress.token = token;
  const verdict = record.verdictFor(root, audienceKeyOf(route.audiences), root.clock.wallMs(), () =>
    verifyFor(token, route, root, transport.connectionOf(context)),
  );
  if (!isThenable(verdict)) return accept(progress, message, record, verdict, verdict);
  return Promise.resolve(verdict).then((settled) => accept(progress, message, record, verdict, settled));
}

/**
 * The token of the message, else the accepted token of its connection. A service may renew the token of a connection: it
 * writes the new one where the first one was.
 */
function readToken({ context, transport, root }: Message): string {
  const [credentials, ...more] = transport.credentialsOf(context);
  if (more.length > 0) throw new MalformedCredentialsError('credentials are repeated');
  if (credentials !== undefined) return tokenIn(credentials, root.maxTokenBytes);
  const connection = transport.longLivedOf?.(context);
  const kept = connection && tokenOfConnection(connection);
  if (kept === undefined) throw new MissingTokenError('message has no bearer credentials');
  return kept;
}

function accept(
  progress: Progress,
  { context, transport, route, root }: Message,
  record: MessageRecord,
  verdict: Verdict | PromiseLike<Verdict>,
  settled: Verdict,
): true {
  const { principal } = settled;
  checkPrincipal(progress, route.policy, principal);
  record.noteSettled(verdict, settled);
  keepCaller(root, transport, { context, principal, token: progress.token ?? '' });
  transport.noteDecided?.(context);
  if (root.events.hears('onVerified'))
    root.events.emit('onVerified', new AcceptedRequestEvent(context, principal));
  return true;
}
