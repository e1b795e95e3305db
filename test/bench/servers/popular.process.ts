/** A Nest server with a popular guard: `node popular.process.js <guard> <ClusterFiles as JSON>`. */
import { UseGuards } from '@nestjs/common';
import { type ClusterFiles } from '../support/cluster.js';
import { announce, answerParent } from '../support/program.js';
import { listen } from './nest-app.js';
import { type PopularGuard, popularGuards } from './popular.guards.js';

const [guard = '', files = '{}'] = process.argv.slice(2);
answerParent();
const protect = UseGuards(popularGuards[guard as PopularGuard](JSON.parse(files) as ClusterFiles));
announce(await listen({ protect }));
