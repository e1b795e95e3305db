import { type ExecutionContext } from '@nestjs/common';
import { type VerifiedEvent } from '../../events/event-types.js';
import { type Principal } from '../../identity/principal.js';
import { describeRoute } from './route-label.js';

/** Computes the route only if a listener reads it: most listeners only count. @internal */
export class AcceptedRequestEvent implements VerifiedEvent {
  readonly #context: ExecutionContext;

  constructor(
    context: ExecutionContext,
    readonly principal: Principal,
  ) {
    this.#context = context;
  }

  get route(): string {
    return describeRoute(this.#context);
  }

  /** JSON contains no accessors of a class. */
  toJSON(): VerifiedEvent {
    return { route: this.route, principal: this.principal };
  }
}
