import assert from 'node:assert/strict';
import type { Inbox } from './inbox.ts';

/**
 * The tests' own reading of HTTP/1.1, written apart from the gateway's and strict: what the gateway sends has to be
 * right to the byte (RFC 9112), so every deviation fails the test that sees it.
 */

const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/;
const FORBIDDEN_IN_VALUE = /[\x00-\x08\x0a-\x1f\x7f]/;

export class Fields {
  readonly lines: readonly (readonly [name: string, value: string])[];

  constructor(lines: readonly (readonly [string, string])[]) {
    this.lines = lines;
  }

  /** The values of every line with this name, in order. */
  all(name: string): string[] {
    const wanted = name.toLowerCase();
    return this.lines.filter(([lineName]) => lineName.toLowerCase() === wanted).map(([, value]) => value);
  }

  /** The value of a field, its lines joined as RFC 9110 5.3 says; null where there is none. */
  get(name: string): string | null {
    const values = this.all(name);
    return values.length === 0 ? null : values.join(', ');
  }

  toString(): string {
    return this.lines.map(([name, value]) => `${name}: ${value}`).join('\n');
  }
}

export interface Head {
  readonly startLine: string;
  readonly fields: Fields;
}

/** How a body was delimited. `close`: by the end of the connection; `none`: there cannot be one. */
export type Framing = 'length' | 'chunked' | 'close' | 'none';

export interface Body {
  readonly framing: Framing;
  readonly bytes: Buffer;
  readonly trailers: Fields;
}

const NO_FIELDS = new Fields([]);

function parseFields(lines: readonly string[]): Fields {
  return new Fields(
    lines.map((line) => {
      const match = FIELD_LINE.exec(line);
      assert.ok(match, `not a field line: ${JSON.stringify(line)}`);
      const [, name = '', value = ''] = match;
      assert.doesNotMatch(value, FORBIDDEN_IN_VALUE, `control byte in the field ${name}`);
      return [name, value] as const;
    }),
  );
}

export async function readHead(inbox: Inbox, what: string): Promise<Head> {
  const text = await inbox.takeThrough('\r\n\r\n', what);
  const [startLine = '', ...lines] = text.split('\r\n');
  return { startLine, fields: parseFields(lines) };
}

/** The framing that a head announces; two framings in one message are a failure of the test. */
export function announcedFraming(fields: Fields, otherwise: Framing): Framing {
  const codings = fields.all('transfer-encoding');
  const lengths = fields.all('content-length');
  assert.ok(codings.length + lengths.length <= 1, `more than one framing:\n${fields}`);
  if (codings.length === 1) {
    assert.equal(codings[0]?.toLowerCase(), 'chunked');
    return 'chunked';
  }
  if (lengths.length === 1) {
    assert.match(lengths[0] ?? '', /^[0-9]+$/);
    return 'length';
  }
  return otherwise;
}

export async function readBody(inbox: Inbox, fields: Fields, framing: Framing, what: string): Promise<Body> {
  switch (framing) {
    case 'none':
      return { framing, bytes: Buffer.alloc(0), trailers: NO_FIELDS };
    case 'length': {
      const bytes = await inbox.take(Number(fields.get('content-length')), `the body of ${what}`);
      return { framing, bytes, trailers: NO_FIELDS };
    }
    case 'chunked': {
      const bytes = await readChunks(inbox, what);
      return { framing, bytes, trailers: await readTrailers(inbox, what) };
    }
    case 'close': {
      const bytes = await inbox.takeToEnd(`the end of ${what}`);
      assert.equal(inbox.ending, 'end', `a body delimited by the end of the connection ended with a reset`);
      return { framing, bytes, trailers: NO_FIELDS };
    }
  }
}

async function readChunks(inbox: Inbox, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const sizeLine = await inbox.takeThrough('\r\n', `a chunk of ${what}`);
    // Extensions are for one hop only (RFC 9112 7.1.1): the gateway has none to send.
    assert.match(sizeLine, /^[0-9A-Fa-f]+$/, 'a chunk size line of the gateway holds a size and nothing else');
    const size = Number.parseInt(sizeLine, 16);
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(await inbox.take(size, `a chunk of ${size} bytes of ${what}`));
    assert.equal((await inbox.take(2, `the end of a chunk of ${what}`)).toString('latin1'), '\r\n');
  }
}

async function readTrailers(inbox: Inbox, what: string): Promise<Fields> {
  const lines: string[] = [];
  for (;;) {
    const line = await inbox.takeThrough('\r\n', `the trailers of ${what}`);
    if (line === '') return parseFields(lines);
    lines.push(line);
  }
}

/** What a field must be: a value, a pattern, or null for a field that must not be there. */
export type ExpectedFields = Readonly<Record<string, string | RegExp | null>>;

export function assertFields(fields: Fields, expected: ExpectedFields): void {
  for (const [name, want] of Object.entries(expected)) {
    const got = fields.get(name);
    const seen = `field ${name} in:\n${fields}`;
    if (want instanceof RegExp) assert.match(got ?? '(absent)', want, seen);
    else assert.equal(got, want, seen);
  }
}

/** A body as chunks of the given texts, with optional trailer lines. */
export function chunked(texts: readonly string[], trailers: readonly string[] = []): string {
  const chunks = texts.map((text) => `${Buffer.byteLength(text, 'latin1').toString(16)}\r\n${text}\r\n`);
  return `${chunks.join('')}0\r\n${trailers.map((line) => `${line}\r\n`).join('')}\r\n`;
}
