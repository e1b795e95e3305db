import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { readService1Config } from './service1.config.js';

const app = await NestFactory.create(AppModule, {
  // One line per event, also where the event is an object.
  logger: new ConsoleLogger({ colors: process.stdout.isTTY === true, compact: true, breakLength: Infinity }),
});
app.enableShutdownHooks();
await app.listen(readService1Config().port);
