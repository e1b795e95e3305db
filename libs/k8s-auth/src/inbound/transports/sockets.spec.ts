import { socketIoBench, wsBench } from '../../../test-support/transports/sockets.bench.js';
import {
  describeLongLivedConnections,
  describeTransport,
} from '../../../test-support/transports/transports.contract.js';

for (const bench of [socketIoBench('auth'), socketIoBench('header'), wsBench]) {
  describeTransport(bench);
  describeLongLivedConnections(bench);
}
