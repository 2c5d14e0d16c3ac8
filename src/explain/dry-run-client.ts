import type { OutgoingResponse } from '../http/outgoing.ts';
import type { DownstreamPeer, DownstreamStream } from '../net/streams.ts';

/** What the gateway itself replied. */
export interface DryRunReply {
  readonly status: number;
  /** The fields that the gateway wrote, each as `Name: value`. */
  readonly fields: readonly string[];
}

/** How a client is connected. */
export type DryRunPeer = Pick<DownstreamPeer, 'address' | 'localAddress' | 'localPort' | 'scheme'>;

/** A client that has sent a request and keeps the head of the reply. */
export class DryRunClient implements DownstreamStream, DownstreamPeer {
  readonly address: string;
  readonly port = 0;
  readonly localAddress: string;
  readonly localPort: number;
  readonly scheme: 'http' | 'https';
  readonly certificateSubject = null;
  identity: unknown = null;
  privateConnections = null;
  /** A body is announced, which never comes in a dry run. */
  requestComplete = true;
  readonly requestPaused = false;
  readonly clientHalfClosed = false;
  reply: DryRunReply | null = null;

  constructor({ address, localAddress, localPort, scheme }: DryRunPeer) {
    this.address = address;
    this.localAddress = localAddress;
    this.localPort = localPort;
    this.scheme = scheme;
  }

  get peer(): DownstreamPeer {
    return this;
  }

  sendHead({ status, additions }: OutgoingResponse): void {
    this.reply = { status, fields: Array.from(additions, ([name, value]) => `${name}: ${value}`) };
  }

  sendData(): boolean {
    return true;
  }

  sendInformational(): void {
    // No upstream is there to send one.
  }

  sendText(): void {
    // The body says what the error of the exchange says.
  }

  sendTrailers(): void {
    // No upstream is there to send any.
  }

  sendEnd(): void {
    // The head is all that is kept.
  }

  abort(): void {
    // The error of the exchange says why.
  }

  pauseRequest(): void {
    // Nothing more comes.
  }

  resumeRequest(): void {
    // Nothing more comes.
  }
}
