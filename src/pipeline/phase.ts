/**
 * The phase of an exchange: what may happen to it now. Each holds what stands beside its name, and gives that up when it is left.
 *
 *  FREE ---- the next request's head is decoded
 *    v
 *  ROUTING ---- refused head, 404, 405, redirect ------------------------------------+
 *    v                                                                               |
 *  REQUEST_HOOKS  a pending hook ---- answer, refusal, failure ----------------------+
 *    v                                                                               |
 *  DISPATCHING (left at once) ---- none is well, queue full -------------------------+
 *    |  ^     \-- all full --> QUEUED  place in the queue, timer ---- timeout -------+
 *    |  |                        |                                                   |
 *    |  +--- BACKOFF  timer <-+  | an upstream has a connection                      |
 *    |  |                     |  |                                                   |
 *    v  | at once             |  v                                                   |
 *  ATTEMPTING  an attempt ----+---- failed for good, deadline, the request is bad ---+
 *    | head                                                                          v
 *    +--------------------------> RESPONSE_HOOKS  the source of the reply, perhaps a pending hook
 *                                    |   ^ |  a hook or the source fails: an error response is the source now
 *                                    |   +-+
 *                                    v
 *                                 REPLYING  source until its end, sinks until theirs
 *                                    v
 *                                  OVER     from every phase: the client is gone
 */
export const PHASE = {
  FREE: 0,
  ROUTING: 1,
  REQUEST_HOOKS: 2,
  DISPATCHING: 3,
  QUEUED: 4,
  BACKOFF: 5,
  ATTEMPTING: 6,
  RESPONSE_HOOKS: 7,
  REPLYING: 8,
  OVER: 9,
} as const;

export type Phase = (typeof PHASE)[keyof typeof PHASE];

const P = PHASE;

/** The phases that each may be followed by, as the drawing shows. */
export const TRANSITIONS: Readonly<Record<Phase, readonly Phase[]>> = {
  [P.FREE]: [P.ROUTING],
  [P.ROUTING]: [P.REQUEST_HOOKS, P.DISPATCHING, P.RESPONSE_HOOKS, P.OVER],
  [P.REQUEST_HOOKS]: [P.DISPATCHING, P.RESPONSE_HOOKS, P.OVER],
  [P.DISPATCHING]: [P.QUEUED, P.ATTEMPTING, P.RESPONSE_HOOKS, P.OVER],
  [P.QUEUED]: [P.ATTEMPTING, P.RESPONSE_HOOKS, P.OVER],
  [P.BACKOFF]: [P.DISPATCHING, P.RESPONSE_HOOKS, P.OVER],
  [P.ATTEMPTING]: [P.DISPATCHING, P.BACKOFF, P.RESPONSE_HOOKS, P.OVER],
  [P.RESPONSE_HOOKS]: [P.RESPONSE_HOOKS, P.REPLYING, P.OVER],
  [P.REPLYING]: [P.OVER],
  [P.OVER]: [P.FREE],
};

/** The same as bits, one word a phase. */
const FOLLOWERS: readonly number[] = Object.values(PHASE).map((phase) =>
  TRANSITIONS[phase].reduce<number>((bits, next) => bits | (1 << next), 0),
);

const NAMES: readonly string[] = Object.keys(PHASE);

/** Throws an Error for a transition that is not in the drawing. */
export function checkTransition(from: Phase, to: Phase): void {
  if (((FOLLOWERS[from] as number) & (1 << to)) === 0)
    throw new Error(`an exchange in ${NAMES[from]} entered ${NAMES[to]}`);
}

export function phaseName(phase: Phase): string {
  return NAMES[phase] as string;
}
