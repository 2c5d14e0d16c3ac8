import type { PhotonError } from '../base/errors.ts';
import type { Fields } from '../http/fields.ts';
import type { OutgoingRequest, OutgoingResponse } from '../http/outgoing.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { PrivateConnections } from './private-connections.ts';

/**
 * The interface between an exchange and its two sides, the same for every protocol on the wire.
 *
 *   client ==> DownstreamStream ==> RequestListener   [ the exchange ]   UpstreamStream ==> upstream
 *   client <== DownstreamStream <==                   [              ]   ResponseListener <== UpstreamStream
 *
 * Order on each side: interim heads, head, data, trailers, end; a failure may come at any point and is the last word.
 * Backpressure: a `send...` that returns false asks to hold back until `...Writable`; `pause...` asks the same of the source.
 */

/** The listener of the events of one request. */
export interface RequestListener {
  /** The head that the next request is decoded into. */
  readonly request: RequestHead;
  /** `request` is complete up to its body. Whether a body follows is in its framing. */
  requestBegun(downstream: DownstreamStream): void;
  /** No valid request: only a refusal can be sent. */
  requestRefused(downstream: DownstreamStream, error: PhotonError): void;
  requestData(bytes: Buffer, start: number, end: number): void;
  requestTrailers(trailers: Fields): void;
  requestEnded(): void;
  /** The rest of the request will not come: malformed, too slow, or the client is gone. */
  requestFailed(error: PhotonError): void;
  /** The whole request is here, and the client has shut down its side: it may still read the reply, or be gone. */
  clientHalfClosed(): void;
  /** The client has taken all that was sent to it. */
  responseWritable(): void;
}

/** The client's side of one exchange. */
export interface DownstreamStream {
  readonly peer: DownstreamPeer;
  /** True when nothing of the request is still to come. */
  readonly requestComplete: boolean;
  /** The client was asked to send no more of it for now. */
  readonly requestPaused: boolean;
  /** The client has shut down its side. */
  readonly clientHalfClosed: boolean;
  pauseRequest(): void;
  resumeRequest(): void;
  /** Passes an interim reply on, except to a client that does not know them. */
  sendInformational(source: ResponseHead): void;
  /** Sends the head of the final reply. `close`: the connection must not be used again after it. */
  sendHead(outgoing: OutgoingResponse, close: boolean): void;
  sendData(bytes: Buffer, start: number, end: number): boolean;
  /** A body made here, latin1 text. */
  sendText(text: string): void;
  /** Passes trailer fields on, where the framing has a place for them. */
  sendTrailers(trailers: Fields): void;
  /** The reply is complete. No more events come to the listener. */
  sendEnd(): void;
  /** Ends an unfinished reply so that the client cannot take it for complete. No more events come to the listener. */
  abort(): void;
}

/** The client of a connection, from the connection itself or from a trusted proxy's PROXY header. */
export interface DownstreamPeer {
  /** IP address, `unix:` for a Unix socket. */
  readonly address: string;
  readonly port: number;
  /** The address and the port of the gateway that it connected to. */
  readonly localAddress: string;
  readonly localPort: number;
  readonly scheme: 'http' | 'https';
  /** The subject of its certificate (RFC 4514); null without a certificate. */
  readonly certificateSubject: string | null;
  /** A place where the pipeline keeps facts about this peer, so that it derives them once per connection; null at first. */
  identity: unknown;
  /** Connections to upstreams that serve this connection alone; null at first. */
  privateConnections: PrivateConnections | null;
}

/** The listener of the events of one reply. */
export interface ResponseListener {
  /** The head that the reply is decoded into. */
  readonly response: ResponseHead;
  /** `response` is an interim reply (1xx). */
  responseInformational(): void;
  /** `response` is complete up to its body. */
  responseBegun(): void;
  responseData(bytes: Buffer, start: number, end: number): void;
  responseTrailers(trailers: Fields): void;
  responseEnded(): void;
  /** The reply will not come, or not to its end. */
  responseFailed(error: PhotonError): void;
  /** The upstream has taken all that was sent to it. */
  requestWritable(): void;
}

/** The upstream's side of one exchange: acquired from a pool, and in use until the reply has ended or the listener has cancelled. */
export interface UpstreamStream {
  /** The connection was used before: it may be dead without a sign. */
  readonly reused: boolean;
  /** True when nothing of the reply has come yet. */
  readonly replyUntouched: boolean;
  /** Nothing of the request can have reached the upstream yet: the connection has not come about, or nothing has been written. */
  readonly unsent: boolean;
  sendHead(outgoing: OutgoingRequest): void;
  sendData(bytes: Buffer, start: number, end: number): boolean;
  /** Passes trailer fields on, where the framing has a place for them. */
  sendTrailers(trailers: Fields): void;
  /** The request is complete: once it is written, the upstream's silence counts. */
  sendEnd(): void;
  pauseResponse(): void;
  resumeResponse(): void;
  /** Cancels the work under way. No more events come to the listener. */
  cancel(): void;
}
