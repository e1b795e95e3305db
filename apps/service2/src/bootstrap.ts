import { ConsoleLogger, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Server } from 'node:http';
import { AppModule } from './app.module.js';
import { drainable } from './drain.js';
import { readService2Config } from './service2.config.js';

/** @returns what ends the application: requests first, then Nest's own shutdown hooks; the process is the caller's */
export async function bootstrap(): Promise<() => Promise<void>> {
  const app = await NestFactory.create(AppModule, {
    // One line per event, also where the event is an object.
    logger: new ConsoleLogger({
      colors: process.stdout.isTTY === true,
      compact: true,
      breakLength: Infinity,
    }),
  });
  const drain = drainable(app.getHttpServer() as Server);
  await app.listen(readService2Config().port);
  new Logger('service2').log(`listening on port ${new URL(await app.getUrl()).port}`);
  return async () => {
    await drain();
    await app.close();
  };
}
