/*
 * The configuration that the gateway runs on: after parsing, validation, defaults and the resolution of references. It
 * is plain data, frozen all the way down, so that it can be cloned into a worker thread as it is.
 *
 * Each option is declared once, in schema/, with its type, its default and its meaning. `ConfigOf` derives its name and
 * its type here: camelCase, durations in milliseconds (`...Ms`), sizes in bytes (`...Bytes`), null for an option that is
 * left out and has no default. This file declares only what resolve.ts and resolve-backend.ts make of options.
 */

import type { z } from 'zod';
import type { ConfigOf } from './config-of.ts';
import type { ListenAddress } from './option-types.ts';
import type { accessLog } from './schema/access-log.ts';
import type { circuitBreaker } from './schema/circuit-breaker.ts';
import type { configSchema } from './schema/document.ts';
import type { healthCheck } from './schema/health-check.ts';
import type { algorithm, backend, queue } from './schema/load-balancing.ts';
import type { BuiltIn, BuiltInOptions } from './schema/middleware/block.ts';
import type { retryBackoff, retryBudget } from './schema/retries.ts';
import type { route } from './schema/route.ts';
import type { server } from './schema/server.ts';
import type { sticky } from './schema/sticky.ts';
import type { upstream } from './schema/upstream.ts';

/** The options of a whole document. */
export type ConfigOptions = ConfigOf<typeof configSchema>;

/** It has the blocks `metrics`, `tracing` and `cache` as the schema declares them. */
export interface Config
  extends Omit<
    ConfigOptions,
    '$schema' | 'include' | 'server' | 'loadBalancing' | 'routes' | 'middleware' | 'healthCheck' | 'accessLog'
  > {
  readonly server: ServerConfig;
  readonly backends: readonly BackendConfig[];
  /** The DNS servers that know the names of upstreams: IP addresses with an optional port. Null: those of the system. */
  readonly resolver: readonly string[] | null;
  readonly routes: readonly RouteConfig[];
  readonly accessLog: AccessLogConfig;
  readonly healthCheck: HealthCheckConfig;
  /**
   * Paths of options that safety depends on and that this version does not have. While there are any, the configuration
   * can be explained, but must not be served.
   */
  readonly notAvailableYet: readonly string[];
  /** The files of users that middleware names. */
  readonly userFiles: readonly UserFile[];
}

export interface ServerConfig
  extends Omit<ConfigOf<typeof server>, 'tlsCert' | 'tlsKey' | 'tls' | 'clientCa' | 'clientAuth' | 'middleware'> {
  /** Empty: the gateway does not listen for HTTP. */
  readonly httpAddr: readonly ListenAddress[];
  /** Empty: the gateway does not listen for HTTPS. */
  readonly httpsAddr: readonly ListenAddress[];
  /** The certificates for HTTPS. The first one answers clients that ask for no name, or for one that no certificate has. */
  readonly tls: readonly CertificateConfig[];
  /** Null: the gateway asks clients for no certificates. */
  readonly clientCertificates: { readonly caFile: string; readonly required: boolean } | null;
  /** Number of worker threads, at least 1. */
  readonly workers: number;
  /** The middleware of every route, in the order of the configuration. */
  readonly middleware: readonly RouteMiddleware[];
}

export interface CertificateConfig {
  /** Names and `*.` patterns in lower case; empty for a certificate that is only the default. */
  readonly hosts: readonly string[];
  readonly certFile: string;
  readonly keyFile: string;
  /** The paths of the options that named the files, for messages. */
  readonly option: { readonly cert: string; readonly key: string };
}

export interface BackendConfig extends Omit<ConfigOf<typeof backend>, 'upstreams' | 'healthCheck'> {
  readonly name: string;
  readonly algorithm: Algorithm;
  /** At least one, of which at least one has a weight above 0. */
  readonly upstreams: readonly UpstreamConfig[];
  readonly healthCheck: HealthCheckConfig;
}

export type Algorithm = z.output<typeof algorithm>;

export type CircuitBreakerConfig = ConfigOf<typeof circuitBreaker>;

export type StickyConfig = ConfigOf<typeof sticky>;

export type RetryBudgetConfig = ConfigOf<typeof retryBudget>;

export type RetryBackoffConfig = ConfigOf<typeof retryBackoff>;

export type QueueConfig = ConfigOf<typeof queue>;

export interface UpstreamConfig extends Omit<ConfigOf<typeof upstream>, 'address' | 'tlsCert' | 'tlsKey'> {
  /** The address as written in the configuration. */
  readonly address: string;
  /** Unique within the backend: the address, and for one of several servers of a name also the address of that server. */
  readonly key: string;
  /** An IP literal without brackets, or a name, which its addresses replace before the configuration is served. Empty for a unix socket. */
  readonly host: string;
  /** Another address of the same server, an IP literal, to connect to when `host` cannot be reached; null for none. */
  readonly alternative: string | null;
  /** 0 for a unix socket and for a service. */
  readonly port: number;
  /** Path of a unix socket; null for TCP. */
  readonly path: string | null;
  /** The name of a service, whose servers and ports DNS knows (RFC 2782); null for one server. */
  readonly service: string | null;
  /** The Host of requests on routes with `upstream_host: upstream`. */
  readonly authority: string;
  /** The name to verify and to send in the TLS handshake. Empty for a unix socket without one. */
  readonly sniHostname: string;
  /** The certificate for an upstream that asks for one; null for none. */
  readonly tlsCertificate: { readonly certFile: string; readonly keyFile: string } | null;
}

export interface HealthCheckConfig extends ConfigOf<typeof healthCheck> {
  /** Names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface RouteConfig extends Omit<ConfigOf<typeof route>, 'middleware'> {
  /** Unique among the routes. */
  readonly id: string;
  /** Name of a backend that exists. */
  readonly backend: string;
  readonly middleware: readonly RouteMiddleware[];
}

/** Fields or parameters that a request must have: `true` = present, a string = present with exactly this value. */
export type Predicates = RouteConfig['match']['headers' | 'query'];

export interface AccessLogConfig extends Omit<ConfigOf<typeof accessLog>, 'output'> {
  /** Path of the file to append to; null for standard output. */
  readonly file: string | null;
}

/** The content of a file of users. */
export interface UserFile {
  /** The absolute path of the file that `basic.htpasswd` names. */
  readonly path: string;
  /** The digest of the file's text. */
  readonly digest: string;
  readonly users: readonly (readonly [name: string, hash: string])[];
}

/**
 * A middleware that a route names, with all of its options: the options of its block, overridden by those of the route,
 * with defaults, durations in milliseconds and sizes in bytes. They have the names of the file, as `overrides` does.
 */
export type RouteMiddleware = BuiltInMiddleware | CustomMiddleware;

export type BuiltInMiddleware = {
  readonly [N in BuiltIn]: {
    /** The name of its block. */
    readonly name: N;
    readonly module: null;
    readonly options: BuiltInOptions[N];
    /** The options that the route changes, as written. */
    readonly overrides: Readonly<Record<string, unknown>>;
  };
}[BuiltIn];

/** A user's own middleware, by its name in `middleware.custom`. */
export interface CustomMiddleware {
  readonly name: string;
  /** Absolute path of its module. */
  readonly module: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly overrides: Readonly<Record<string, unknown>>;
}
