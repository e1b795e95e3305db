import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { map } from 'rxjs';
import { getPrincipal } from '../../src/inbound/k8s-auth.decorators.js';

/** Adds the caller that interceptors see to the answer of the handler `whoami`. */
@Injectable()
export class PrincipalInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    if (context.getHandler().name !== 'whoami') return next.handle();
    const { serviceAccount } = getPrincipal(context);
    return next.handle().pipe(
      map((body: string | { data: string }) => {
        const add = (text: string) => `${text}, ${serviceAccount}`;
        return typeof body === 'string' ? add(body) : { data: add(body.data) };
      }),
    );
  }
}
