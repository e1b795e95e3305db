import { Controller, Get } from '@nestjs/common';
import { allowServiceAccounts, Caller, K8sAuth, type Principal } from 'nest-k8s-auth';
import { readService2Config } from '../service2.config.js';

/** Accepts tokens for the same audience, but only from the ServiceAccounts in SERVICE2_ADMINS. */
@Controller('admin')
@K8sAuth(undefined, allowServiceAccounts(...readService2Config().admins))
export class AdminController {
  @Get()
  admin(@Caller() caller: Principal): Principal {
    return caller;
  }
}
