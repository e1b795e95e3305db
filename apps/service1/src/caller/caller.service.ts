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

// Room for a whole principal, with names of any length.
const MAX_LOGGED_BODY = 2000;
/** How long the end waits for the answer to a call: less than the 2 s in which a container is to be gone. */
const LAST_ANSWER_MS = 1500;

/** Calls the target on the interval and logs one line each time. */
@Injectable()
export class CallerService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('service1');
  private timer?: NodeJS.Timeout;
  private underWay?: Promise<void>;

  constructor(
    private readonly http: HttpService,
    @Inject(service1Config.KEY) private readonly config: ConfigType<typeof service1Config>,
  ) {}

  onApplicationBootstrap(): void {
    this.logger.log(`start client: ${this.config.targetUrl}`);
    this.timer = setInterval(() => this.call(), this.config.intervalMs);
    this.call();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await Promise.race([this.underWay, setTimeout(LAST_ANSWER_MS, undefined, { ref: false })]);
  }

  private call(): void {
    // A target that is slower than the interval is asked again when it has answered.
    this.underWay ??= this.outcome().then((outcome) => {
      this.logger.log(`target=${this.config.targetUrl}, ${outcome}`);
      this.underWay = undefined;
    });
  }

  private async outcome(): Promise<string> {
    try {
      const { status, data } = await this.http.axiosRef.get<string>(this.config.targetUrl, {
        responseType: 'text',
        validateStatus: () => true,
      });
      const body = data.replace(/\s+/g, ' ').slice(0, MAX_LOGGED_BODY);
      return `status=${status}, response: '${body}'`;
    } catch (error) {
      // Happy-eyeballs errors have an empty message and say it in their code.
      const reason = error instanceof Error ? error.message || (isAxiosError(error) && error.code) : error;
      return `error: '${String(reason)}'`;
    }
  }
}
