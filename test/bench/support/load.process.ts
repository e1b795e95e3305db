/** Sends requests, in its own process so that its work is not counted as the server's. Asked by load.ts. */
import { runBursts } from './bursts.js';
import { announce, answerParent } from './program.js';
import { send } from './send.js';

answerParent({ send, runBursts });
announce('');
