import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  UseGuards,
} from '@nestjs/common';
import { K8sAuth, Public } from 'nest-k8s-auth';

/** What you have today; with passport-jwt it is AuthGuard('jwt'). */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, unknown> }>();
    return request.headers['x-api-key'] === process.env['ORDERS_API_KEY'];
  }
}

/** The routes, without a guard. */
abstract class OrdersRoutes {
  @Get()
  list() {
    return ['order 1'];
  }
}

@Controller('orders') // until the last caller has changed
@UseGuards(ApiKeyGuard)
@Public() // for K8sAuthGuard; ApiKeyGuard still protects it
export class OldOrdersController extends OrdersRoutes {}

@Controller('internal/orders')
@K8sAuth('orders')
export class OrdersController extends OrdersRoutes {}
