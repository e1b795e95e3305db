import { graphqlBench } from '../../../test-support/transports/graphql.bench.js';
import { describeTransport } from '../../../test-support/transports/transports.contract.js';

describeTransport(graphqlBench('apollo', 'express'));
describeTransport(graphqlBench('mercurius', 'fastify'));
