/** A text of a file, and what stands in its place. */
interface Edit {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

/** A fault that the gateway once had, as it would be in the code of today. */
export interface KnownFault {
  readonly name: string;
  readonly edits: readonly Edit[];
}

const UPSTREAM = 'src/net/h1-upstream-connection.ts';
const UPSTREAM_REPLY = 'src/net/h1-upstream-reply.ts';
const POOL = 'src/upstream/connection-pool.ts';
const EXCHANGE = 'src/pipeline/exchange.ts';
const HOOK_WAIT = 'src/pipeline/hook-wait.ts';

/** Takes the assertion away that ends the connection before the fault shows. */
const UNGUARDED: Edit = { file: EXCHANGE, before: '    checkTransition(this.#phase, next);\n', after: '' };

const inUpstream = (before: string, after: string): Edit => ({ file: UPSTREAM, before, after });
const inReply = (before: string, after: string): Edit => ({ file: UPSTREAM_REPLY, before, after });
const inPool = (before: string, after: string): Edit => ({ file: POOL, before, after });

/** Each is put into a copy, and has to be found: they are what the simulator was made for. */
export const KNOWN_FAULTS: readonly KnownFault[] = [
  {
    name: 'one surplus byte of an upstream stops the worker',
    edits: [
      inReply(
        'while (position < end && (this.#state === STATE.HEAD || this.#state === STATE.BODY)) {',
        'while (position < end) {',
      ),
      inReply(
        '      else position = this.#body.decode(bytes, position, end, this);\n',
        '      else if (this.inBody) position = this.#body.decode(bytes, position, end, this);\n',
      ),
      inReply('      if (position === before)\n', '      if (position < before)\n'),
    ],
  },
  {
    name: 'a request that was refused in the queue is sent all the same',
    edits: [UNGUARDED, { file: EXCHANGE, before: '        this.#forwarding.leaveQueue();\n', after: '' }],
  },
  {
    name: 'a request hook that settles late sends a request that was refused',
    edits: [
      UNGUARDED,
      {
        file: HOOK_WAIT,
        before: '    this.#pending = pending;\n',
        after: '    this.#pending = pending;\n    const { useCount } = this.#exchange;\n',
      },
      {
        file: HOOK_WAIT,
        before: 'if (this.#pending === pending) this.#settled(null',
        after: 'if (this.#exchange.useCount === useCount) this.#settled(null',
      },
    ],
  },
  {
    name: 'time in which the reply is paused counts as silence',
    edits: [inUpstream('this.#requestTaken() && !this.#readPaused ?', 'this.#requestTaken() ?')],
  },
  {
    name: 'silence counts although the request is not whole',
    edits: [inUpstream('this.#requestTaken() && !this.#readPaused ?', '!this.#readPaused ?')],
  },
  {
    name: 'silence counts although a part of the request is unwritten',
    edits: [
      inUpstream(
        'return this.#stream.requestOver && (this.#writingFailed || !this.#output.unwritten);',
        'return this.#stream.requestOver;',
      ),
    ],
  },
  {
    name: 'a Host that middleware sets goes beside the one of the client',
    edits: [
      {
        file: 'src/middleware/custom/editable-headers.ts',
        before: '    if (this.#source.replace(alike, value)) return;\n',
        after: '',
      },
      { file: 'src/wire/h1/head-encoder.ts', before: '(requestDrops === null || !requestDrops.hasHost) &&', after: '' },
    ],
  },
  {
    name: 'a stray promise of middleware ends the worker',
    edits: [
      {
        file: 'src/worker/middleware-faults.ts',
        before: '  const running = runningMiddleware();',
        after: '  if (origin !== undefined) return [];\n  const running = runningMiddleware();',
      },
    ],
  },
  {
    name: 'what a hook returns that is no reply is an empty one',
    edits: [
      {
        file: 'src/middleware/custom/hook-results.ts',
        before: '  const got = unknown === undefined',
        after: '  if (!isPlainObject(returned)) return {};\n  const got = unknown === undefined',
      },
    ],
  },
  {
    name: 'an API key in the query goes upstream when a token let the client in',
    edits: [
      {
        file: 'src/middleware/auth/authentication.ts',
        before: 'for (const each of schemes) each.hide(exchange);',
        after: 'scheme.hide(exchange);',
      },
    ],
  },
  {
    name: 'a connection that carried NTLM serves another client',
    edits: [inUpstream('if (peer === null || this.privateTo !== null) return;', 'if (peer !== undefined) return;')],
  },
  {
    name: 'an upstream that sends what no request asked for is trusted again at once',
    edits: [
      inPool(
        'return this.#upstream.state.noReuseUntilMs > this.#context.io.wheel.nowMs;',
        'return this.#upstream.state.noReuseUntilMs < 0;',
      ),
    ],
  },
  {
    name: 'a deadline that others used up counts against the server',
    edits: [
      {
        file: EXCHANGE,
        before: 'this.deadline.leftMs >= timeoutMs * MOST_OF_DEADLINE;',
        after: 'this.deadline.leftMs >= 0;',
      },
    ],
  },
  {
    name: 'a hook that never settles holds its connection for ever',
    edits: [{ file: HOOK_WAIT, before: '    this.bound();\n    promise', after: '    promise' }],
  },
  {
    name: 'a slow peer that takes bytes is cut because more is written to it',
    edits: [
      {
        file: 'src/net/h1-output.ts',
        before: 'if (this.#handedBytes - connection.untakenBytes > this.#takenBytes) this.watch();',
        after: 'if (this.#handedBytes < 0) this.watch();',
      },
    ],
  },
  {
    name: 'a reply that its connection ends looks whole when its client stops taking it',
    edits: [
      {
        file: 'src/net/socket-connection.ts',
        before: 'if (this.pendingBytes === 0) this.#askForFin();',
        after: 'this.#askForFin();',
      },
    ],
  },
  {
    name: 'a slow reader loses its connection behind its last reply',
    edits: [
      {
        file: 'src/net/h1-downstream.ts',
        before: 'if ((this.#connection?.pendingBytes ?? 0) > 0) this.#timeout.watch();',
        after: 'if (this.#connection === null) this.#timeout.watch();',
      },
    ],
  },
  {
    name: 'an upload sent ahead that its client has left holds a connection',
    edits: [
      {
        file: 'src/net/h1-downstream.ts',
        before: '    else if (this.#peerEnded && this.#request.inBody) this.#failCut();\n',
        after: '',
      },
    ],
  },
  {
    name: 'a connection of the configuration before makes room that nobody hears of',
    edits: [
      {
        file: 'src/upstream/connection-limiter.ts',
        before: ': before.#sharedLimit;',
        after: ': { waiters: new Set(), isLimited: false };',
      },
    ],
  },
  {
    name: 'the write timeout counts while a connection is being opened',
    edits: [inUpstream('return this.opened && !this.#readPaused ?', 'return !this.#readPaused ?')],
  },
  {
    name: 'the write timeout counts while the reply is paused',
    edits: [inUpstream('return this.opened && !this.#readPaused ?', 'return this.opened ?')],
  },
  {
    name: 'a client that shuts down its side gives a hook more time',
    edits: [
      {
        file: HOOK_WAIT,
        before: 'if (boundMs < waitTimer.leftMs) waitTimer.arm',
        after: 'if (boundMs > 0) waitTimer.arm',
      },
    ],
  },
  {
    name: 'a private connection is used again although its upstream is not trusted',
    edits: [
      inPool(
        'if (singleUse && this.idleCount > 0) this.closeIdle();',
        'if (singleUse && this.#idle.length > 0) this.closeIdle();',
      ),
    ],
  },
  {
    name: 'a reply that its connection ends looks whole when it is cut',
    edits: [
      {
        file: 'src/net/socket-connection.ts',
        before: 'if (this.endsMessage && !this.#finAsked) this.reset();',
        after: 'if (this.endsMessage && this.#finAsked) this.reset();',
      },
    ],
  },
  {
    name: 'what has come while the gateway stood still is heard only behind the timers',
    edits: [
      {
        file: 'src/net/io-context.ts',
        before: 'if (this.wheel.advance()) this.#readFor(READING_TURNS);\n    else this.#expireTimers();',
        after:
          'this.wheel.advance();\n    this.#expireTimers();\n    if (this.#turnsLeft < 0) this.#readFor(READING_TURNS);',
      },
    ],
  },
  {
    name: 'a client that has closed its connection stays in the queue',
    edits: [
      {
        file: EXCHANGE,
        before: '        this.fail(halfClosedInQueue());\n',
        after: '        if (this.useCount === -1) this.fail(halfClosedInQueue());\n',
      },
      {
        file: 'src/pipeline/forwarding.ts',
        before: '    if (this.#downstream().clientHalfClosed) throw halfClosedInQueue();\n',
        after: '',
      },
    ],
  },
];
