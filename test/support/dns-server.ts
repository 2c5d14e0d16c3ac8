import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { SocketAddress } from 'node:net';

const TYPES = { A: 1, AAAA: 28, SRV: 33 } as const;
type RecordType = keyof typeof TYPES;

const RCODES = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3 } as const;

export interface ServiceRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** `SILENCE` gives no answer at all. */
type Failure = 'SERVFAIL' | 'SILENCE';

/** What is known of a name: its records, or how it fails, for one type of records or for all. */
interface Zone {
  readonly failure: Failure | null;
  readonly failures: Partial<Record<RecordType, Failure>>;
  readonly ttlSeconds: number;
  readonly A: readonly string[];
  readonly AAAA: readonly string[];
  readonly SRV: readonly ServiceRecord[];
}

const EMPTY: Zone = { failure: null, failures: {}, ttlSeconds: 60, A: [], AAAA: [], SRV: [] };

interface Question {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  /** The question as it came, which the answer repeats. */
  readonly bytes: Buffer;
}

/** A DNS server on loopback that answers as the test says, and counts what it is asked. What it does not know does not exist. */
export class DnsServer {
  readonly #socket: Socket;
  readonly #zones = new Map<string, Zone>();
  readonly #asked: string[] = [];
  readonly #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (message, peer) => this.#answer(message, peer));
  }

  static async start(t: { after(cleanUp: () => unknown): void }): Promise<DnsServer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    t.after(() => socket.close());
    return new DnsServer(socket);
  }

  /** As a resolver is told of it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  /** From now on this is what there is of a name. */
  set(name: string, zone: Partial<Zone>): void {
    this.#zones.set(name, { ...EMPTY, ...zone });
  }

  /** From now on the name does not exist. */
  remove(name: string): void {
    this.#zones.delete(name);
  }

  /** How often a name was asked for, with records of this type. */
  count(name: string, type: RecordType = 'A'): number {
    return this.#asked.filter((each) => each === `${name} ${TYPES[type]}`).length;
  }

  /** Resolves when a name has been asked for so many times. */
  async asked(name: string, times: number, type: RecordType = 'A'): Promise<void> {
    while (this.count(name, type) < times) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #answer(message: Buffer, peer: RemoteInfo): void {
    const question = readQuestion(message);
    const zone = this.#zones.get(question.name);
    this.#asked.push(`${question.name} ${question.type}`);
    for (const wake of this.#waiting.splice(0)) wake();
    const failure = failureOf(zone, question);
    if (failure === 'SILENCE') return;
    this.#socket.send(encodeAnswer(question, zone, failure === 'SERVFAIL'), peer.port, peer.address);
  }
}

function readQuestion(message: Buffer): Question {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] as number; length > 0; length = message[at] as number) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const bytes = message.subarray(12, at + 5);
  return {
    id: message.readUInt16BE(0),
    name: labels.join('.').toLowerCase(),
    type: message.readUInt16BE(at + 1),
    bytes,
  };
}

function failureOf({ failure, failures }: Zone = EMPTY, { type }: Question): Failure | null {
  const [name] = Object.entries(TYPES).find(([, number]) => number === type) ?? [];
  return failure ?? failures[name as RecordType] ?? null;
}

function encodeAnswer({ id, type, bytes }: Question, zone: Zone | undefined, fails: boolean): Buffer {
  const known = zone ?? EMPTY;
  const records = fails ? [] : dataOf(known, type);
  const rcode = zone === undefined ? RCODES.NXDOMAIN : RCODES.NOERROR;
  const head = Buffer.alloc(12);
  head.writeUInt16BE(id, 0);
  head.writeUInt16BE(0x8180 | (fails ? RCODES.SERVFAIL : rcode), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, bytes, ...records.map((data) => encodeRecord(type, known.ttlSeconds, data))]);
}

function dataOf(zone: Zone, type: number): readonly Buffer[] {
  if (type === TYPES.A) return zone.A.map((address) => Buffer.from(address.split('.').map(Number)));
  if (type === TYPES.AAAA) return zone.AAAA.map(encodeIpv6);
  return type === TYPES.SRV ? zone.SRV.map(encodeService) : [];
}

/** `address` has no dotted part; `::` stands for as many zeros as are missing. */
function encodeIpv6(address: string): Buffer {
  const [left = '', right = ''] = new SocketAddress({ address, family: 'ipv6' }).address.split('::');
  const [before, after] = [left, right].map((text) => text.split(':').filter((group) => group !== ''));
  const missing = 8 - (before?.length ?? 0) - (after?.length ?? 0);
  const groups = [...(before ?? []), ...Array<string>(missing).fill('0'), ...(after ?? [])];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function encodeService({ priority, weight, port, target }: ServiceRecord): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(priority, 0);
  head.writeUInt16BE(weight, 2);
  head.writeUInt16BE(port, 4);
  return Buffer.concat([head, encodeName(target)]);
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.from(`${labels.map((label) => String.fromCharCode(label.length) + label).join('')}\0`, 'latin1');
}

/** The name is that of the question, at byte 12. */
function encodeRecord(type: number, ttlSeconds: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttlSeconds, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
