import { Controller, Injectable, type MessageEvent, Sse } from '@nestjs/common';
import { Caller, K8sAuth } from 'nest-k8s-auth';
import { map, type Observable, Subject, takeUntil, timer } from 'rxjs';

/** Maximum duration, also for tokens that live longer or have no expiry: a deleted pod is noticed after this time at most. */
export const MAX_STREAM_MS = 10 * 60_000;

/** Emits once, when a response to the caller has to end. */
export function untilExpiry(expiresAt: Date | undefined): Observable<unknown> {
  const leftMs = expiresAt ? expiresAt.getTime() - Date.now() : MAX_STREAM_MS;
  return timer(Math.min(leftMs, MAX_STREAM_MS));
}

@Injectable()
export class Orders {
  readonly changes = new Subject<{ id: string }>();
}

@Controller('orders')
@K8sAuth('orders')
export class OrderEventsController {
  constructor(private readonly orders: Orders) {}

  @Sse('events')
  events(@Caller('expiresAt') expiresAt?: Date): Observable<MessageEvent> {
    return this.orders.changes.pipe(
      map((data) => ({ data })),
      takeUntil(untilExpiry(expiresAt)),
    );
  }
}
