// npm start. A Node that is too old gets one sentence, because nothing else is loaded before the check.
import './check-node.mjs';

import('./start.mjs');
