import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { readService1Config } from './service1.config.js';

/** @returns what ends the application, by Nest's own shutdown hooks; the process is the caller's */
export async function bootstrap(): Promise<() => Promise<void>> {
  const app = await NestFactory.create(AppModule, {
    // One line per event, also where the event is an object.
    logger: new ConsoleLogger({
      colors: process.stdout.isTTY === true,
      compact: true,
      breakLength: Infinity,
    }),
    // Who connects here is a probe: its connection does not hold the end up.
    forceCloseConnections: true,
  });
  await app.listen(readService1Config().port);
  return () => app.close();
}
