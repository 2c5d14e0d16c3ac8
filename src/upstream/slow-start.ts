import type { UpstreamState } from '../memory/upstream-state.ts';

/** The share of an upstream in the moment that it comes up: enough to warm up with. */
const FLOOR = 0.1;

/** The share of its traffic that an upstream gets while it comes up: it grows evenly from a tenth to 1 over `rampMs`. */
export function rampShare(state: UpstreamState, rampMs: number, nowMs: number): number {
  const sinceMs = state.upSinceMs;
  const passed = (nowMs - sinceMs) / rampMs;
  if (passed < 1) return FLOOR + (1 - FLOOR) * Math.max(passed, 0);
  state.rampOver(sinceMs);
  return 1;
}
