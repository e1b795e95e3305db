// Runs the module of a page: <compiled file> <name of the class> [<URL that it calls with its own HttpService>]
import 'reflect-metadata';
import { HttpService } from '@nestjs/axios';
import { NestFactory } from '@nestjs/core';
import { pathToFileURL } from 'node:url';

const [, , file, name, url] = process.argv;
const { [name]: module } = await import(pathToFileURL(file).href);
const app = await NestFactory.create(module);
await app.listen(process.env.PORT);
if (url !== undefined) {
  const { status, data } = await app.get(HttpService, { strict: false }).axiosRef.get(url);
  console.log(`status=${status} ${data}`);
}
