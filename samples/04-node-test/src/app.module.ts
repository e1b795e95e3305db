import { HttpService } from '@nestjs/axios';
import { Controller, Get, Injectable, Module, Post } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  allowServiceAccounts,
  Caller,
  K8sAuth,
  K8sAuthGuard,
  K8sAuthHttpModule,
  K8sAuthModule,
  type Principal,
} from 'nest-k8s-auth';
import { firstValueFrom } from 'rxjs';

@Injectable()
export class Billing {
  constructor(private readonly http: HttpService) {}

  async bill(order: string): Promise<string> {
    const response = await firstValueFrom(
      this.http.post<{ invoice: string }>('http://billing.shop.svc/invoices', { order }),
    );
    return response.data.invoice;
  }
}

@Controller('orders')
@K8sAuth()
export class OrdersController {
  constructor(private readonly billing: Billing) {}

  @Get()
  list(@Caller() caller: Principal): string {
    return `orders of ${caller.username}`;
  }

  @Post()
  @K8sAuth(undefined, allowServiceAccounts('shop/checkout'))
  create(): Promise<string> {
    return this.billing.bill('order-1');
  }
}

@Module({
  imports: [
    K8sAuthModule.forRoot({
      verifier: { kind: 'oidc-discovery' },
      audience: 'orders',
      destinations: [
        {
          origin: 'http://billing.shop.svc',
          tokenFile: '/var/run/secrets/tokens/billing',
          audience: 'billing',
        },
      ],
    }),
    K8sAuthHttpModule.register(),
  ],
  controllers: [OrdersController],
  providers: [Billing, { provide: APP_GUARD, useExisting: K8sAuthGuard }],
})
export class AppModule {}
