/** A head as it came: nothing is normalised but the case of names. */
export interface Head {
  readonly firstLine: string;
  readonly lines: readonly string[];
  readonly fields: ReadonlyMap<string, readonly string[]>;
}

export type BodyKind = 'none' | 'chunked' | 'to the end' | number;

/** Who is told of messages, with places in the stream of bytes. */
export interface ReaderSink {
  /** A head; the answer says what its body is like. */
  head(head: Head, start: number): BodyKind;
  body(bytes: Buffer): void;
  /** The message is complete; it ended there. */
  complete(trailers: readonly string[], end: number): void;
  /** This is no HTTP. */
  broken(why: string): void;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');

type State = 'head' | 'length' | 'chunk size' | 'chunk' | 'chunk end' | 'trailers' | 'to the end' | 'broken';

/** Reads HTTP/1.1 messages as RFC 9112 has them. It is strict, for the gateway writes them; and it knows nothing of the gateway's code. */
export class MessageReader {
  readonly #sink: ReaderSink;
  #kept: Buffer = Buffer.alloc(0);
  #state: State = 'head';
  #left = 0;
  #trailers: string[] = [];
  /** The place of the first byte of `#kept`. */
  position = 0;

  constructor(sink: ReaderSink) {
    this.#sink = sink;
  }

  /** Nothing of an unfinished message is here. */
  get isBetween(): boolean {
    return this.#state === 'head' && this.#kept.length === 0;
  }

  feed(bytes: Buffer): void {
    this.#kept = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes]);
    while (this.#state !== 'broken' && this.#step());
  }

  /** The other side has ended its stream. */
  ended(): void {
    if (this.#state !== 'to the end') return;
    this.#complete();
  }

  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#readHead();
      case 'length':
      case 'chunk':
        return this.#readCounted();
      case 'to the end':
        if (this.#kept.length === 0) return false;
        this.#sink.body(this.#take(this.#kept.length));
        return true;
      default:
        return this.#readLine();
    }
  }

  #take(bytes: number): Buffer {
    const taken = this.#kept.subarray(0, bytes);
    this.#kept = this.#kept.subarray(bytes);
    this.position += bytes;
    return taken;
  }

  #readHead(): boolean {
    const end = this.#kept.indexOf(HEAD_END);
    if (end === -1) return false;
    const start = this.position;
    const [firstLine = '', ...lines] = this.#take(end + 4)
      .toString('latin1', 0, end)
      .split('\r\n');
    const fields = new Map<string, string[]>();
    for (const line of lines) {
      const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
      if (match === null) return this.#break(`the field line ${JSON.stringify(line)}`);
      const [, name = '', value = ''] = match;
      const values = fields.get(name.toLowerCase()) ?? [];
      values.push(value);
      fields.set(name.toLowerCase(), values);
    }
    const kind = this.#sink.head({ firstLine, lines, fields }, start);
    if (kind === 'none' || kind === 0) this.#complete();
    else if (typeof kind === 'number') this.#begin('length', kind);
    else if (kind === 'chunked') this.#begin('chunk size', 0);
    else this.#begin('to the end', 0);
    return true;
  }

  #begin(state: State, left: number): void {
    this.#state = state;
    this.#left = left;
  }

  #readCounted(): boolean {
    if (this.#kept.length === 0) return false;
    const bytes = this.#take(Math.min(this.#left, this.#kept.length));
    this.#left -= bytes.length;
    this.#sink.body(bytes);
    if (this.#left > 0) return false;
    if (this.#state === 'length') this.#complete();
    else this.#state = 'chunk end';
    return true;
  }

  #readLine(): boolean {
    const end = this.#kept.indexOf(LINE_END);
    if (end === -1) return false;
    const line = this.#take(end + 2).toString('latin1', 0, end);
    if (this.#state === 'chunk end') {
      if (line !== '') return this.#break('bytes behind a chunk');
      this.#state = 'chunk size';
    } else if (this.#state === 'trailers') {
      if (line === '') this.#complete();
      else this.#trailers.push(line);
    } else {
      if (!/^[0-9a-f]+$/i.test(line)) return this.#break(`the chunk size ${JSON.stringify(line)}`);
      this.#left = Number.parseInt(line, 16);
      this.#state = this.#left === 0 ? 'trailers' : 'chunk';
    }
    return true;
  }

  #complete(): void {
    this.#state = 'head';
    const trailers = this.#trailers;
    this.#trailers = [];
    this.#sink.complete(trailers, this.position);
  }

  #break(why: string): false {
    this.#state = 'broken';
    this.#sink.broken(why);
    return false;
  }
}

/** The kind of body that the fields name, where a message may have one. */
export function bodyKindOf({ fields }: Head, otherwise: BodyKind): BodyKind {
  const codings = fields.get('transfer-encoding');
  const lengths = fields.get('content-length');
  if (codings !== undefined) return 'chunked';
  if (lengths !== undefined) return Number(lengths[0]);
  return otherwise;
}
