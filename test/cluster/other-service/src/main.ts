import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { ClientModule, Greeter } from './client.module.js';

const server = await NestFactory.create(AppModule);
await server.listen(3000);

const client = await NestFactory.createApplicationContext(ClientModule);
const { data } = await client.get(Greeter).greet();
console.log(`service2 says: ${data}`);
