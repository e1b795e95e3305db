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
import { loggable, withoutUserinfo } from './log-text.js';

/** How long the end waits for the answer to a call: less than the 2 s in which a container is to be gone. */
const LAST_ANSWER_MS = 1500;

/** Calls the target on the interval and logs one line each time. */
@Injectable()
export class CallerService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('service1');
  private readonly loggedTarget: string;
  private timer?: NodeJS.Timeout;
  private underWay?: Promise<void>;

  constructor(
    private readonly http: HttpService,
    @Inject(service1Config.KEY) private readonly config: ConfigType<typeof service1Config>,
  ) {
    this.loggedTarget = loggable(withoutUserinfo(config.targetUrl));
  }

  onApplicationBootstrap(): void {
    this.logger.log(`start client: ${this.loggedTarget}`);
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
      this.logger.log(`target=${this.loggedTarget}, ${outcome}`);
      this.underWay = undefined;
    });
  }

  private async outcome(): Promise<string> {
    try {
      const { status, data } = await this.http.axiosRef.get<string>(this.config.targetUrl, {
        responseType: 'text',
        validateStatus: () => true,
      });
      return `status=${status}, response: '${loggable(data)}'`;
    } catch (error) {
      // Happy-eyeballs errors have an empty message and say it in their code.
      const reason = error instanceof Error ? error.message || (isAxiosError(error) && error.code) : error;
      return `error: '${loggable(String(reason))}'`;
    }
  }
}
