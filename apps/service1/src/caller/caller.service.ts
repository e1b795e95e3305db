import { HttpService } from '@nestjs/axios';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { type ConfigType } from '@nestjs/config';
import { isAxiosError } from 'axios';
import { setTimeout } from 'node:timers/promises';
import { service1Config } from '../service1.config.js';
import { toLogText, withoutUserinfo } from './log-text.js';

/** How long the shutdown waits for the answer to a call: less than the 2 s within which a container has to end. */
const MAX_SHUTDOWN_WAIT_MS = 1500;

/** Calls the target on the interval and logs one line each time. */
@Injectable()
export class CallerService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('service1');
  private readonly loggedTarget: string;
  private timer?: NodeJS.Timeout;
  private callInFlight?: Promise<void>;

  constructor(
    private readonly http: HttpService,
    @Inject(service1Config.KEY) private readonly config: ConfigType<typeof service1Config>,
  ) {
    this.loggedTarget = toLogText(withoutUserinfo(config.targetUrl));
  }

  onApplicationBootstrap(): void {
    this.logger.log(`start client: ${this.loggedTarget}`);
    this.timer = setInterval(() => this.call(), this.config.intervalMs);
    this.call();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await Promise.race([this.callInFlight, setTimeout(MAX_SHUTDOWN_WAIT_MS, undefined, { ref: false })]);
  }

  private call(): void {
    // If the target needs longer than the interval, the next call waits until the target has answered.
    this.callInFlight ??= this.callTarget().then((outcome) => {
      this.logger.log(`target=${this.loggedTarget}, ${outcome}`);
      this.callInFlight = undefined;
    });
  }

  private async callTarget(): Promise<string> {
    try {
      const { status, data } = await this.http.axiosRef.get<string>(this.config.targetUrl, {
        responseType: 'text',
        validateStatus: () => true,
      });
      return `status=${status}, response: '${toLogText(data)}'`;
    } catch (error) {
      // Errors of several connection attempts (happy eyeballs) have an empty message; their code names the reason.
      const reason = error instanceof Error ? error.message || (isAxiosError(error) && error.code) : error;
      return `error: '${toLogText(String(reason))}'`;
    }
  }
}
