import { ConsoleLogger, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Server } from 'node:http';
import { AppModule } from './app.module.js';
import { enableDraining } from './drain.js';
import { readService2Config } from './service2.config.js';

/** @returns a function that finishes open requests and then runs Nest's shutdown hooks; the caller ends the process */
export async function bootstrap(): Promise<() => Promise<void>> {
  const app = await NestFactory.create(AppModule, {
    // One line per event, even if the event is an object.
    logger: new ConsoleLogger({
      colors: process.stdout.isTTY === true,
      compact: true,
      breakLength: Infinity,
    }),
  });
  const drain = enableDraining(app.getHttpServer() as Server);
  await app.listen(readService2Config().port);
  new Logger('service2').log(`listening on port ${new URL(await app.getUrl()).port}`);
  return async () => {
    await drain();
    await app.close();
  };
}
