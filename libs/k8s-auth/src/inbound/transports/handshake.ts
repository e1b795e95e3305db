import { type CallerConnection } from '../../verifiers/verifier.js';
import { type LongLivedConnection } from './transport.js';

/** Where the credentials of a new connection are. */
export interface HandshakeSource {
  /** Every value that takes the place of an `Authorization` header. */
  credentials(): readonly string[];
  removeCredentials(): void;
  readonly connection: CallerConnection;
}

/**
 * A client that is about to connect to gateways. The guard treats it like a message. It lives as long as the connection, and
 * the accepted token belongs to it: the client object of the package ws exists only after the upgrade.
 * @internal
 */
export class Handshake implements LongLivedConnection, CallerConnection {
  readonly key = this;
  private readonly decisions = new Map<object, Promise<void>>();
  private readonly settled = new Set<object>();
  private readonly listeners: (() => void)[] = [];
  private closeClient: (() => void) | undefined;
  private isExpired = false;
  private hasEnded = false;

  constructor(readonly source: HandshakeSource) {}

  get address(): string {
    return this.source.connection.address;
  }

  isClosed(): boolean {
    return this.hasEnded || this.source.connection.isClosed();
  }

  /** Decides once for each server that the client connects to. @param decide rejects if the client is refused */
  decideOnce(server: object, decide: () => Promise<void>): Promise<void> {
    const known = this.decisions.get(server);
    if (known) return known;
    const decision = decide().then(
      () => void this.settled.add(server),
      (error: unknown) => {
        this.end();
        throw error;
      },
    );
    this.decisions.set(server, decision);
    return decision;
  }

  isAcceptedBy(server: object): boolean {
    return this.settled.has(server);
  }

  /** Call this when the client is connected. Its token may have expired since the decision. */
  connect(closeClient: () => void): void {
    this.closeClient = closeClient;
    if (this.isExpired) closeClient();
  }

  close(): void {
    this.isExpired = true;
    this.closeClient?.();
  }

  onClosed(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Call this when the client is refused, or disconnected. */
  end(): void {
    this.hasEnded = true;
    for (const listener of this.listeners.splice(0)) listener();
  }
}

/** The client of a gateway, or the request of its upgrade -> its handshake. */
const handshakes = new WeakMap<object, Handshake>();

/** @internal */
export function handshakeOf(clientOrRequest: object): Handshake | undefined {
  return handshakes.get(clientOrRequest);
}

/** @returns the handshake @internal */
export function keepHandshake(clientOrRequest: object, handshake: Handshake): Handshake {
  handshakes.set(clientOrRequest, handshake);
  return handshake;
}
