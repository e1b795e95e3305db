import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { readService1Config } from './service1.config.js';

const app = await NestFactory.create(AppModule, {
  logger: new ConsoleLogger({ colors: process.stdout.isTTY }),
});
app.enableShutdownHooks();
await app.listen(readService1Config().port);
