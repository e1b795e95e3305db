import { Controller, Get, Header } from '@nestjs/common';
import { Caller, K8sAuth, type Principal } from 'nest-k8s-auth';

/** Greets the caller by name. */
@Controller()
@K8sAuth()
export class HelloController {
  @Get()
  @Header('content-type', 'text/plain; charset=utf-8')
  hello(@Caller('username') username: string): string {
    return `hello ${username}`;
  }

  @Get('whoami')
  whoami(@Caller() caller: Principal): Principal {
    return caller;
  }
}
