import type { UpstreamState } from '../memory/upstream-state.ts';

/** What an upstream gets in the moment that it comes up: enough to warm up with. */
const FLOOR = 0.1;

/** The share of its traffic that an upstream gets which is coming up, from a tenth to 1, growing evenly over `rampMs`. */
export function rampShare(state: UpstreamState, rampMs: number, nowMs: number): number {
  const sinceMs = state.upSinceMs;
  const passed = (nowMs - sinceMs) / rampMs;
  if (passed < 1) return FLOOR + (1 - FLOOR) * Math.max(passed, 0);
  state.rampOver(sinceMs);
  return 1;
}
