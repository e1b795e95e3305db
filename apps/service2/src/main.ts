import { ConsoleLogger, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { readService2Config } from './service2.config.js';

const app = await NestFactory.create(AppModule, {
  // One line per event, also where the event is an object.
  logger: new ConsoleLogger({ colors: process.stdout.isTTY === true, compact: true, breakLength: Infinity }),
});
app.enableShutdownHooks();
await app.listen(readService2Config().port);
new Logger('service2').log(`listening on port ${new URL(await app.getUrl()).port}`);
