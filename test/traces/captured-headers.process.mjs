// An application whose instrumentation captures the Authorization header. It calls itself twice, and prints the spans as JSON:
// `node captured-headers.process.mjs '{"apiServer":{...},"tokenFile":"..."}'`.
import { createRequire } from 'node:module';

// CommonJS, as instrumentation needs it without a loader, and after the instrumentation: it replaces functions of Node's modules.
const require = createRequire(import.meta.url);
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { UndiciInstrumentation } = require('@opentelemetry/instrumentation-undici');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} = require('@opentelemetry/sdk-trace-node');

const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
const requestHeaders = ['authorization'];
registerInstrumentations({
  instrumentations: [
    new HttpInstrumentation({
      headersToSpanAttributes: { client: { requestHeaders }, server: { requestHeaders } },
    }),
    new UndiciInstrumentation({ headersToSpanAttributes: { requestHeaders } }),
  ],
});

require('reflect-metadata');
const { HttpService } = require('@nestjs/axios');
const { Controller, Get } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const {
  createK8sAuthFetch,
  K8sAuth,
  K8sAuthHttpModule,
  K8sAuthModule,
  K8sAuthTokenSource,
} = require('nest-k8s-auth');
const { K8sAuthTracingModule } = require('nest-k8s-auth/opentelemetry');

class OrdersController {
  find() {
    return 'ok';
  }
}
Controller()(OrdersController);
const find = Object.getOwnPropertyDescriptor(OrdersController.prototype, 'find');
for (const decorate of [Get(), K8sAuth('orders')]) decorate(OrdersController.prototype, 'find', find);

class AppModule {}

async function main({ apiServer, tokenFile, origin }) {
  const imports = [
    K8sAuthModule.forRoot({
      verifier: { kind: 'tokenreview', apiServer, checkSignatures: false },
      destinations: [{ origin, tokenFile }],
    }),
    K8sAuthTracingModule,
    K8sAuthHttpModule.register(),
  ];
  const app = await NestFactory.create(
    { module: AppModule, imports, controllers: [OrdersController] },
    { logger: false },
  );
  await app.listen(new URL(origin).port, '127.0.0.1');
  const { data } = await app.get(HttpService, { strict: false }).axiosRef.get(origin);
  const response = await createK8sAuthFetch(app.get(K8sAuthTokenSource, { strict: false }))(
    `${origin}/?by=fetch`,
  );
  const ofFetch = await response.text();
  await app.close();
  const spans = exporter.getFinishedSpans().map(({ name, kind, attributes, instrumentationScope }) => {
    return { name, kind, attributes, scope: instrumentationScope.name };
  });
  process.stdout.write(JSON.stringify({ answers: [data, ofFetch], spans }));
}

await main(JSON.parse(process.argv[2]));
