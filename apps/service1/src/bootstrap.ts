import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { readService1Config } from './service1.config.js';

/** @returns a function that closes the application with Nest's shutdown hooks; the caller ends the process */
export async function bootstrap(): Promise<() => Promise<void>> {
  const app = await NestFactory.create(AppModule, {
    // One line per event, even if the event is an object.
    logger: new ConsoleLogger({
      colors: process.stdout.isTTY === true,
      compact: true,
      breakLength: Infinity,
    }),
    // Only probes connect to this port, so their open connections must not delay the shutdown.
    forceCloseConnections: true,
  });
  await app.listen(readService1Config().port);
  return () => app.close();
}
