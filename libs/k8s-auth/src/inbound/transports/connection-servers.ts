import { type CanActivate } from '@nestjs/common';
import { type ApplicationConfig, type ModulesContainer } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { SUPPLIES_TEST_CALLERS } from '../inbound.constants.js';
import { providersOf, type RouteClass } from '../routes/controller-class.js';
import { connectionHandlerOf, isGateway, placeOfGateway } from '../routes/gateway-connections.js';
import { type Handshake } from './handshake.js';
import { RefusedConnectionError } from './handshake.transport.js';

/**
 * The WebSocket servers of one application, and the gateways that listen on each of them. A client connects to a server, so
 * every gateway on it must accept the client: what one of them sends to all clients reaches the clients of the others too.
 * @internal
 */
export class ConnectionServers {
  private readonly gateways = new WeakMap<object, Set<RouteClass>>();
  /** What a handshake remembers for a server. Another application may use the same server. */
  private readonly keys = new WeakMap<object, object>();
  private readonly unsupported = new Set<object>();

  constructor(
    private readonly config: ApplicationConfig,
    private readonly modules: ModulesContainer,
    private readonly guard: CanActivate,
  ) {}

  /**
   * Finds the gateways of a server when Nest creates it, because their metadata may change later.
   * @param place from `placeOf`
   * @returns whether an adapter has returned the server before
   */
  add(server: object, place: string): boolean {
    const known = this.gateways.get(server);
    const found = this.allGateways().filter((one) => placeOfGateway(one) === place);
    this.gateways.set(server, new Set([...(known ?? []), ...found]));
    return known !== undefined;
  }

  /** Call this for a server that offers no place to refuse a client before it is connected. */
  noteUnsupported(server: object): void {
    this.unsupported.add(server);
  }

  /** The gateways whose refused clients are connected for a moment. */
  gatewaysWithoutHandshake(): RouteClass[] {
    return [...new Set([...this.unsupported].flatMap((server) => [...this.gatewaysOf(server)]))];
  }

  /** @throws {RefusedConnectionError} as a rejection: a gateway does not accept the client */
  decide(handshake: Handshake, server: object): Promise<void> {
    return handshake.decideOnce(this.keyOf(server), async () => {
      try {
        await this.askGateways(handshake, server);
      } catch (error) {
        throw RefusedConnectionError.from(error);
      }
    });
  }

  private async askGateways(handshake: Handshake, server: object): Promise<void> {
    for (const gateway of this.gatewaysOf(server)) {
      const context = new ExecutionContextHost([handshake], gateway, connectionHandlerOf(gateway));
      context.setType('ws');
      for (const guard of this.config.getGlobalGuards())
        if (Object.hasOwn(guard, SUPPLIES_TEST_CALLERS)) await guard.canActivate(context);
      await this.guard.canActivate(context);
    }
  }

  hasAccepted(handshake: Handshake, server: object): boolean {
    return handshake.isAcceptedBy(this.keyOf(server));
  }

  private keyOf(server: object): object {
    const key = this.keys.get(server) ?? {};
    this.keys.set(server, key);
    return key;
  }

  /** All gateways, if the adapter has not created the server: then it is unknown which of them listen on it. */
  private gatewaysOf(server: object): Iterable<RouteClass> {
    return this.gateways.get(server) ?? this.allGateways();
  }

  private allGateways(): RouteClass[] {
    const all = [...this.modules.values()].flatMap(providersOf).map(({ routeClass }) => routeClass);
    return [...new Set(all)].filter(isGateway);
  }
}
