import type { CustomRequest } from './custom-request.ts';
import type { CustomResponse } from './custom-response.ts';

/**
 * The common interface of schemas (standardschema.dev): zod, valibot, arktype and others have it. Only schemas that answer at once can be
 * used.
 */
export interface OptionsSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A reply that a middleware gives in the place of the upstream's. */
export interface CustomReply {
  /** 200 to 599. Default: 200. */
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as UTF-8. */
  readonly body?: string | undefined;
}

/** What a request meets. One object serves all requests of its routes in a worker. */
export interface CustomHooks {
  /** Before the request goes upstream: change it, answer it with a reply, or let it go on (undefined). */
  onRequest?(request: CustomRequest): CustomReply | undefined | Promise<CustomReply | undefined>;
  /** Before the head of the reply goes out, whoever made it. A promise is waited for, and the upstream with it. */
  onResponse?(response: CustomResponse, request: CustomRequest): Promise<void> | void;
  /** When the exchange is over. A promise is not waited for. */
  onFinish?(outcome: CustomOutcome, request: CustomRequest): Promise<void> | void;
}

/** How an exchange ended. */
export interface CustomOutcome {
  /** Of the reply that was sent, or was about to be. */
  readonly status: number;
  /** The code of what went wrong; null when nothing did. */
  readonly error: string | null;
}

/** What there is besides the options. */
export interface CustomContext {
  /** The name in the configuration. */
  readonly name: string;
  readonly log: {
    info(event: string, fields?: object): void;
    warn(event: string, fields?: object): void;
    error(event: string, fields?: object): void;
  };
}

export interface MiddlewareDefinition<Options = unknown> {
  readonly name: string;
  /** What the options have to be like; without one they are passed as they are. */
  readonly schema?: OptionsSchema<unknown, Options> | undefined;
  /** Called once for each route that uses it, in every worker. */
  create(options: Options, context: CustomContext): CustomHooks;
}

/**
 * The default export of a middleware of your own: hands back what it gets, and lets the compiler infer the options from the schema.
 *
 *     export default defineMiddleware({
 *       name: 'tenant',
 *       schema: z.object({ header: z.string() }),
 *       create: ({ header }) => ({
 *         onRequest: (request) => request.headers.has(header) ? undefined : { status: 400, body: 'no tenant' },
 *       }),
 *     });
 */
export function defineMiddleware<Options>(definition: MiddlewareDefinition<Options>): MiddlewareDefinition<Options> {
  return definition;
}
