import { ConsoleLogger, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { readService2Config } from './service2.config.js';

const app = await NestFactory.create(AppModule, {
  logger: new ConsoleLogger({ colors: process.stdout.isTTY }),
});
app.enableShutdownHooks();
await app.listen(readService2Config().port);
new Logger('service2').log(`listening on ${await app.getUrl()}`);
