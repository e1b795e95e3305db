import { Controller, Get } from '@nestjs/common';
import { allowServiceAccounts, Caller, K8sAuth, type Principal } from 'nest-k8s-auth';
import { readService2Config } from '../service2.config.js';

/** The same audience, but only for the ServiceAccounts of SERVICE2_ADMINS. */
@Controller('admin')
@K8sAuth(undefined, allowServiceAccounts(...readService2Config().admins))
export class AdminController {
  @Get()
  admin(@Caller() caller: Principal): Principal {
    return caller;
  }
}
