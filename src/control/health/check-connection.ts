import { PhotonError } from '../../base/errors.ts';
import type { ByteReceiver, Connection } from '../../net/connection.ts';
import type { IoContext } from '../../net/io-context.ts';
import type { Transport } from '../../net/transport.ts';
import { type Check, type CheckEnding, type CheckListener, OWN_FAULTS } from './check.ts';
import type { CheckPlan } from './check-plan.ts';
import { CheckReply } from './check-reply.ts';

/**
 *   CONNECTING --connected--> ASKING --the reply is complete, and both sides keep the connection--> IDLE
 *       \                       | ^_________________________ask()_____________________________________/ |
 *        \______________________\___> CLOSED <__________________________________________________________/
 */
type State = 'connecting' | 'asking' | 'idle' | 'closed';

/** A connection for one check, or for one after the other where they keep it. */
export class CheckConnection implements ByteReceiver, Check {
  /** A reply is read to its end within one call, or copied: it needs no buffer of its own. */
  readonly inBody = false;
  readonly #plan: CheckPlan;
  #listener: CheckListener | null;
  #connection: Connection | null = null;
  #state: State = 'connecting';
  #judged = false;
  #reused = false;
  #reply: CheckReply | null = null;

  /** Begins to connect, and with the first check. */
  constructor(io: IoContext, transport: Transport, plan: CheckPlan, listener: CheckListener) {
    this.#plan = plan;
    this.#listener = listener;
    this.#connection = transport.connect(io, plan.target, this, plan.preface);
  }

  /** Whether another check can be asked for here. */
  get idle(): boolean {
    return this.#state === 'idle' && this.#connection?.alive === true;
  }

  /** Begins with the next check. */
  ask(): void {
    this.#judged = false;
    this.#reused = true;
    this.#ask();
  }

  /** Time is over: whoever has not passed yet has failed. */
  expire(timeoutMs: number): void {
    if (!this.#judged) this.#judge(`${this.#missing()} within ${timeoutMs} ms`);
    this.#connection?.destroy();
  }

  /** Closes it; nothing more is said. */
  abandon(): void {
    this.#listener = null;
    this.#connection?.destroy();
  }

  #missing(): string {
    if (this.#state !== 'connecting') return 'no complete answer';
    return this.#connection?.handshaking ? 'no TLS' : 'no connection';
  }

  #ask(): void {
    const { question } = this.#plan;
    this.#state = 'asking';
    if (question === null) {
      this.#judge(null);
      this.#leave();
    } else {
      this.#reply = new CheckReply(question.expectation);
      this.#connection?.writeText(question.head);
    }
  }

  /** What was written goes out before the connection does; then the server closes its side, or time is over. */
  #leave(): void {
    if (this.#plan.preface === '') this.#connection?.destroy();
    else this.#connection?.endWriting();
  }

  #judge(failure: string | null): void {
    this.#judged = true;
    this.#listener?.checkJudged(failure);
  }

  connected(): void {
    this.#ask();
  }

  received(bytes: Buffer, start: number, end: number): void {
    const reply = this.#reply;
    // Bytes that nobody asked for: whoever sends them is not asked again here.
    if (reply === null || this.#listener === null) this.#connection?.destroy();
    else this.#read(reply, bytes, start, end);
  }

  #read(reply: CheckReply, bytes: Buffer, start: number, end: number): void {
    try {
      const position = reply.take(bytes, start, end);
      this.#take(reply, position === end);
    } catch (error) {
      if (!(error instanceof PhotonError)) throw error;
      if (!this.#judged) this.#judge(`malformed reply: ${error.message}`);
      this.#connection?.destroy();
    }
  }

  /** Something has come of the reply. `exact`: nothing came after it. */
  #take(reply: CheckReply, exact: boolean): void {
    if (reply.judged && !this.#judged) this.#judge(reply.failure);
    if (reply.complete && exact && reply.persistent && this.#plan.reuse) this.#keep();
    else if (reply.complete || reply.excessive) this.#connection?.destroy();
  }

  #keep(): void {
    this.#state = 'idle';
    this.#reply = null;
    this.#listener?.checkOver('kept');
  }

  ended(): void {
    const reply = this.#reply;
    reply?.end();
    if (reply?.judged && !this.#judged) this.#judge(reply.failure);
    this.#connection?.destroy();
  }

  writable(): void {
    // Nothing waits for it: a question is small.
  }

  writingFailed(): boolean {
    return false;
  }

  closed(failure: string | null): void {
    const state = this.#state;
    const reason = this.#whyClosed(failure);
    this.#state = 'closed';
    this.#connection = null;
    if (state === 'idle') return;
    const ending = this.#endingOf(failure);
    if (ending === 'closed' && !this.#judged) this.#judge(reason);
    this.#listener?.checkOver(ending);
  }

  #endingOf(failure: string | null): CheckEnding {
    if (this.#judged) return 'closed';
    if (OWN_FAULTS.has(failure)) return 'starved';
    return this.#reused && this.#reply?.begun === false ? 'stale' : 'closed';
  }

  #whyClosed(failure: string | null): string {
    const code = failure ?? 'closed';
    if (this.#state !== 'connecting') return `no complete answer (${code})`;
    return this.#connection?.handshaking ? `no TLS (${code})` : `no connection (${code})`;
  }
}
