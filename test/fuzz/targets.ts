import { configuration } from '../config/fuzz-target.ts';
import { replies, requests } from '../wire/h1/fuzz-targets.ts';
import type { Target } from './target.ts';

/** Everything that is under attack, in `npm test` for a while and in `npm run fuzz` without end. */
export const TARGETS: readonly Target<unknown>[] = [requests, replies, configuration];
