/** What is known of one exchange when it is over. Text is as it came, one character a byte. */
export interface AccessRecord {
  /** When it ended, milliseconds since 1970. */
  readonly endedMs: number;
  readonly durationMs: number;
  /** A token: letters, digits and marks that need no escape. */
  readonly requestId: string;
  /** An IP address, or `unix:`. */
  readonly clientAddress: string;
  readonly scheme: 'http' | 'https';
  /** Empty when the request could not be read; then `target`, `host` and `versionMinor` mean nothing. */
  readonly method: string;
  readonly target: string;
  /** Normalised; empty when there is none. */
  readonly host: string;
  /** Of `HTTP/1.x`. */
  readonly versionMinor: number;
  /** What the client got; 499 when it went away. */
  readonly status: number;
  /** Of the reply's body, without its framing. */
  readonly sentBytes: number;
  /** Of the request's body, without its framing. */
  readonly receivedBytes: number;
  /** Id of the route; empty when there is none. */
  readonly route: string;
  readonly backend: string;
  /** Who the client showed that it is; empty when it did not. */
  readonly consumer: string;
  /** Address of the upstream that was tried last; empty when none was. */
  readonly upstream: string;
  /** What the upstream said; 0 when it said nothing. */
  readonly upstreamStatus: number;
  /** From the choice of that upstream to the head of its reply, or to its failure. */
  readonly upstreamMs: number;
  /** How often the request was sent upstream. */
  readonly attempts: number;
  /** Code of what went wrong; empty when nothing did. */
  readonly error: string;
  /** Null when the request had none. */
  readonly userAgent: string | null;
  readonly referer: string | null;
}

/** The most characters of a text that are written: what a client sends must not fill the disk. */
export const LIMIT = { method: 32, target: 2048, host: 256, userAgent: 512, referer: 1024, name: 256 } as const;
