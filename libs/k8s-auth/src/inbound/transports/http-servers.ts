import { type Server } from 'node:http';
import { type AbstractHttpAdapter } from '@nestjs/core';
import { type InboundRoot } from '../routes/route.js';
import { hasMethods, shapeOf } from './shapes.js';

/** The HTTP servers of the applications that the roots belong to. Empty in an application that serves no HTTP. @internal */
export function httpServersOf(roots: readonly Pick<InboundRoot, 'adapterHost'>[]): Set<Server> {
  const servers = roots.map(({ adapterHost }) => {
    const adapter = adapterHost.httpAdapter as AbstractHttpAdapter | undefined;
    return shapeOf(adapter?.getHttpServer());
  });
  return new Set(
    servers.filter((server) =>
      hasMethods(server, 'on', 'prependListener', 'listeners'),
    ) as unknown as Server[],
  );
}
