/** The signals that a gateway answers. What each of them does is in docs/operations.md. */
export const GATEWAY_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

export type GatewaySignal = (typeof GATEWAY_SIGNALS)[number];

/** Those that came before it was known which command runs. */
const held: GatewaySignal[] = [];
let answer: ((signal: GatewaySignal) => void) | null = null;

function onSignal(signal: NodeJS.Signals): void {
  // Sound: it listens to no other signals.
  const known = signal as GatewaySignal;
  if (answer === null) held.push(known);
  else answer(known);
}

/**
 * From here on these signals end nothing: a gateway that still loads its code must not die of a SIGHUP. And Node opens its debugger to
 * every local user on a SIGUSR1 that has no listener.
 */
export function holdSignals(): void {
  for (const name of GATEWAY_SIGNALS) process.on(name, onSignal);
}

/** Calls `answer` for each signal, first for those that have come already. */
export function answerSignals(newAnswer: (signal: GatewaySignal) => void): void {
  answer = newAnswer;
  for (const signal of held.splice(0)) newAnswer(signal);
}

/** For a command that is no gateway: signals end it as they end any program, but SIGUSR1 does nothing. */
export function releaseSignals(): void {
  for (const name of GATEWAY_SIGNALS) if (name !== 'SIGUSR1') process.off(name, onSignal);
  for (const signal of held.splice(0)) if (signal !== 'SIGUSR1') process.kill(process.pid, signal);
}

/** Node's own options that open a debugger; whoever gives them wants it. */
const WANTS_DEBUGGER = /(?:^|\s)--inspect(?:-brk|-wait)?(?:=|\s|$)/;

/**
 * Closes a debugger that a SIGUSR1 has opened before `holdSignals`. Node opens it as soon as JavaScript runs, and once more when the event
 * loop next waits for something.
 */
export function closeUninvitedDebugger(): void {
  if (!process.features.inspector) return;
  if (WANTS_DEBUGGER.test([...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' '))) return;
  const inspector = process.getBuiltinModule('node:inspector');
  const close = () => {
    if (inspector.url() !== undefined) inspector.close();
  };
  close();
  setImmediate(() => {
    close();
    setImmediate(close);
  });
}
