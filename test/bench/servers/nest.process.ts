/** A Nest server in one variant: `node nest.process.js <variant> <ClusterFiles as JSON>`. */
import { type ClusterFiles } from '../support/cluster.js';
import { announce, answerParent } from '../support/program.js';
import { listen } from './nest-app.js';
import { type NestVariant, optionsOf } from './nest.variants.js';

const [variant = 'none', files = '{}'] = process.argv.slice(2);
answerParent();
announce(await listen(optionsOf(variant as NestVariant, JSON.parse(files) as ClusterFiles)));
