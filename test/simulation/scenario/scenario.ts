import type { PipeNature } from '../net/pipe.ts';

/**
 * Everything that a run depends on, as plain JSON: it can be written down, cut smaller and played again.
 *
 * All bytes and numbers of bytes of a fault are of what its owner sends. All times are milliseconds.
 */
export interface Scenario {
  /** Of the order of simultaneous events. */
  readonly schedule: number;
  readonly transport: 'onread' | 'plain';
  readonly workers: number;
  /** Events are gathered whatever comes of it. */
  readonly gathers: boolean;
  /** The configuration to begin with, and those that a reload goes over to. */
  readonly configs: readonly ConfigScript[];
  readonly upstreams: readonly UpstreamScript[];
  readonly clients: readonly ClientScript[];
  readonly control: readonly ControlScript[];
}

/** A configuration, with every option that the oracle looks at. */
export interface ConfigScript {
  readonly server: ServerScript;
  readonly backends: readonly BackendScript[];
  readonly routes: readonly RouteScript[];
}

export interface ServerScript {
  readonly connectionTimeoutMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly sendTimeoutMs: number;
  readonly maxBodyBytes: number | null;
  readonly maxHeaderBytes: number;
  readonly middlewareTimeoutMs: number;
}

export interface BackendScript {
  readonly name: string;
  readonly algorithm: string;
  /** Numbers in the list of upstreams. */
  readonly upstreams: readonly number[];
  readonly maxConnections: number | null;
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly queueSize: number;
  readonly queueTimeoutMs: number;
  /** Null: it is off. */
  readonly breakerThreshold: number | null;
  readonly breakerOpenMs: number;
  readonly breakerSuccesses: number;
  readonly retryInitialMs: number;
  readonly sticky: boolean;
}

export interface RouteScript {
  /** The first segment of its paths. */
  readonly name: string;
  readonly backend: string;
  readonly methods: readonly string[] | null;
  readonly timeoutMs: number | null;
  readonly retries: number;
  /** How many middleware with scripted hooks it has. */
  readonly hooks: number;
  readonly compress: boolean;
  readonly transform: boolean;
  readonly cors: boolean;
  /** Requests need a key, in a header or in the query. */
  readonly apiKey: boolean;
  readonly bodyLimit: number | null;
  readonly stripPrefix: boolean;
}

export interface UpstreamScript {
  readonly address: string;
  readonly nature: WayScript;
  /** When connections are refused, or not answered at all. */
  readonly outages: readonly { readonly fromMs: number; readonly toMs: number; readonly how: 'refuse' | 'ignore' }[];
  /** Closes a connection that has been idle for so long; null for never. */
  readonly idleMs: number | null;
}

export interface WayScript {
  readonly toGateway: PipeNature;
  readonly fromGateway: PipeNature;
  readonly dialMs: number;
  readonly seed: number;
}

export interface ClientScript {
  readonly name: string;
  readonly row: number;
  readonly openMs: number;
  readonly nature: WayScript;
  readonly requests: readonly RequestScript[];
  /** How many requests it sends before it has their replies. */
  readonly ahead: number;
  /** Pauses in reading, after so many bytes of replies. */
  readonly readPauses: readonly PauseScript[];
  /** What it does when it has all replies. */
  readonly ending: 'close' | 'fin' | 'reset' | 'stay';
  /** Sends FIN right behind its last request, and reads on. */
  readonly halfCloses: boolean;
  /** Goes away when it has received so many bytes; null for never. */
  readonly leavesReading: { readonly atBytes: number; readonly how: 'close' | 'reset' | 'fin' } | null;
}

export interface PauseScript {
  readonly atBytes: number;
  readonly forMs: number;
}

export interface RequestScript {
  /** Names it: in its path, and in each block of its body and of its reply's. */
  readonly tag: string;
  readonly route: string;
  readonly method: string;
  readonly versionMinor: 0 | 1;
  readonly close: boolean;
  readonly key: 'none' | 'header' | 'query' | 'wrong' | 'token' | 'token and query';
  readonly origin: 'none' | 'allowed' | 'foreign';
  readonly acceptsGzip: boolean;
  readonly body: {
    readonly framing: 'none' | 'length' | 'chunked';
    readonly bytes: number;
    readonly chunkBytes: number;
  };
  readonly trailers: boolean;
  readonly expects: boolean;
  /** Pauses after so many bytes of the request. */
  readonly pauses: readonly PauseScript[];
  /** After the reply before, or after the request before where it is sent ahead. */
  readonly gapMs: number;
  readonly fault: RequestFault | null;
  /** One for each hook of the route, the first to see the request first. */
  readonly hooks: readonly HookScript[];
  /** What an upstream does with it: of the first attempt, the second ... the last one stands for all others. */
  readonly replies: readonly ReplyScript[];
  /** More header lines, each with its CRLF. */
  readonly extraLines: string;
}

export type RequestFault =
  | { readonly kind: 'head'; readonly what: HeadFault }
  /** A bad chunk size, behind so many bytes of the body. */
  | { readonly kind: 'chunk'; readonly atBytes: number }
  /** Goes away after so many bytes of the whole request. */
  | { readonly kind: 'leave'; readonly atBytes: number; readonly how: 'close' | 'reset' | 'fin' };

export type HeadFault =
  | 'space before colon'
  | 'two framings'
  | 'two lengths'
  | 'no host'
  | 'two hosts'
  | 'bare line feed'
  | 'bad length'
  | 'unknown coding'
  | 'unknown expectation'
  | 'version 2'
  | 'bad target'
  | 'large head'
  | 'connect';

export interface HookScript {
  readonly request: HookAct;
  readonly response: HookAct;
}

export type HookAct =
  | { readonly act: 'pass' }
  | { readonly act: 'wait'; readonly forMs: number }
  | { readonly act: 'throw'; readonly afterMs: number }
  | { readonly act: 'answer'; readonly afterMs: number; readonly status: number }
  | { readonly act: 'nonsense' }
  | { readonly act: 'never' }
  /** Passes, and lets a promise go wrong that nobody waits for. */
  | { readonly act: 'stray'; readonly afterMs: number }
  | { readonly act: 'set header' };

export interface ReplyScript {
  /** When it begins: with the head, with so many bytes of the body, or with the whole request. */
  readonly when: 'head' | 'whole' | number;
  readonly delayMs: number;
  readonly interims: readonly number[];
  readonly status: number;
  readonly framing: 'length' | 'chunked' | 'close' | 'none';
  readonly bytes: number;
  readonly chunkBytes: number;
  readonly trailers: boolean;
  readonly versionMinor: 0 | 1;
  /** Says that it closes the connection, and does. */
  readonly closes: boolean;
  readonly pauses: readonly PauseScript[];
  /** Goes on only when the request is whole, after so many bytes of the reply; null for not. */
  readonly waitsForWhole: number | null;
  /** Stops reading after so many bytes of the request, each time. */
  readonly readPauses: readonly PauseScript[];
  /** Reads no further while its reply is not taken, as an echo does. */
  readonly echoes: boolean;
  readonly fault: ReplyFault | null;
  /** More header lines, each with its CRLF. */
  readonly extraLines: string;
}

export type ReplyFault =
  /** After so many bytes of the reply; 0: without a word. */
  | { readonly kind: 'close' | 'reset' | 'silence'; readonly atBytes: number }
  /** More bytes than the reply has, after a while. */
  | { readonly kind: 'surplus'; readonly afterMs: number; readonly what: 'reply' | 'line end' | 'body' }
  | { readonly kind: 'malformed'; readonly what: ReplyHeadFault }
  | { readonly kind: 'chunk'; readonly atBytes: number };

export type ReplyHeadFault =
  | 'status line'
  | 'two framings'
  | 'two lengths'
  | 'bad length'
  | 'switching'
  | 'space before colon';

export type ControlScript =
  | { readonly atMs: number; readonly what: 'reload'; readonly config: number }
  | { readonly atMs: number; readonly what: 'drain'; readonly row: number }
  | { readonly atMs: number; readonly what: 'die'; readonly row: number; readonly backAfterMs: number }
  | { readonly atMs: number; readonly what: 'health'; readonly upstream: number; readonly healthy: boolean }
  /** The thread stands still for so long. */
  | { readonly atMs: number; readonly what: 'stall'; readonly row: number; readonly forMs: number };

/** Asks whether a page of another origin may send a GET. */
export const PREFLIGHT_LINE = 'Access-Control-Request-Method: GET\r\n';

/** Whether the run goes on until idle connections to upstreams are closed too: such a run is many times longer. */
export function rests({ schedule }: Scenario): boolean {
  return schedule % 8 === 0;
}
