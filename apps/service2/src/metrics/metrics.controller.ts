import { Controller, Get, Header } from '@nestjs/common';
import { Public } from 'nest-k8s-auth';
import { register } from 'prom-client';

/** The endpoint that Prometheus scrapes. It contains no names of callers. */
@Controller()
@Public()
export class MetricsController {
  @Get('metrics')
  @Header('content-type', register.contentType)
  metrics(): Promise<string> {
    return register.metrics();
  }
}
