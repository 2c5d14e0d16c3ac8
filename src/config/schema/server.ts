import { z } from 'zod';
import { hostPattern } from '../http-option-types.ts';
import {
  byteSize,
  duration,
  durationOrZero,
  filePath,
  flag,
  ipRange,
  listenAddress,
  MAX_TIMER_MS,
  oneOf,
  oneOrMore,
  wholeNumber,
} from '../option-types.ts';
import { MAX_COUNT } from './bounds.ts';
import { middlewareList } from './middleware-list.ts';

/** A sign of life comes every 100 ms, and a collection of garbage may take longer than that. */
const MIN_WORKER_TIMEOUT_MS = 1000;

export const server = z
  .strictObject({
    http_addr: oneOrMore(listenAddress(), 'an address such as "0.0.0.0:8080" or ":8080"')
      .describe('Where to listen for HTTP: an address or a list of them. ":8080" is every address of the machine.')
      .optional(),
    https_addr: oneOrMore(listenAddress(), 'an address such as "0.0.0.0:8443" or ":8443"')
      .describe('Where to listen for HTTPS: an address or a list of them.')
      .optional(),
    tls_cert: filePath().describe('PEM file with the certificate chain for HTTPS.').optional(),
    tls_key: filePath().describe('PEM file with the private key of the certificate.').optional(),
    tls: z
      .array(
        z.strictObject({
          hosts: z
            .array(hostPattern(), { error: 'a list of host names' })
            .min(1, { error: 'at least one host name' })
            .describe('The names that this certificate answers to: "api.example.com", "*.example.com".'),
          cert: filePath().describe('PEM file with the certificate chain.'),
          key: filePath().describe('PEM file with the private key of the certificate.'),
        }),
        { error: 'a list of certificates' },
      )
      .describe('More certificates, chosen by the name that the client asks for (SNI).')
      .prefault([]),
    client_ca: filePath()
      .describe('PEM file with the authorities whose certificates clients have to show, or may show (client_auth).')
      .optional(),
    client_auth: oneOf(['required', 'optional'])
      .describe('Whether a client without a certificate is refused. One whose certificate is not valid always is.')
      .prefault('required'),
    http_to_https: z
      .union([flag(), wholeNumber(1, 65_535)], { error: 'true, false or the port that clients reach HTTPS on' })
      .describe('Answers every request over plain HTTP with a redirect to HTTPS; a number is the port to name there.')
      .prefault(false),
    tls_ticket_keys: filePath()
      .describe(
        'File that keeps the keys of TLS session tickets over restarts, made if there is none; by default in the runtime directory.',
      )
      .optional(),
    workers: wholeNumber(1, 1024).describe('Number of worker threads; by default one for each core.').optional(),
    connection_timeout: duration()
      .describe('The time that a client has to deliver a whole request head; then 408.')
      .prefault('30s'),
    keepalive_timeout: duration()
      .describe('How long a client connection may be idle between two requests before it is closed.')
      .prefault('75s'),
    max_connections: wholeNumber(1, MAX_COUNT)
      .describe('The most client connections at one time, over all workers; more get 503.')
      .prefault(10_000),
    upgrade_sock: filePath()
      .describe('Unix socket over which commands reach the gateway; by default one in the runtime directory.')
      .optional(),
    pid_file: filePath().describe('File to write the process id to.').optional(),
    trusted_proxies: z
      .array(ipRange(), { error: 'a list of IP addresses and ranges' })
      .describe('Peers whose X-Forwarded-* and X-Request-ID fields are believed: IP addresses and CIDR ranges.')
      .prefault([]),
    proxy_protocol: flag()
      .describe('Whether connections of trusted_proxies begin with a PROXY header (v1 or v2), which names the client.')
      .prefault(false),
    max_header_size: byteSize(256)
      .describe('The most bytes of the head of a request (more get 431) and of a reply (more are a 502).')
      .prefault('32KiB'),
    max_headers: wholeNumber(1, 10_000)
      .describe('The most header lines of a request (more get 431) and of a reply (more are a 502).')
      .prefault(100),
    max_target: byteSize(16).describe('The most bytes of a request target; more get 414.').prefault('8KiB'),
    max_body_size: byteSize(0)
      .describe('The most bytes of a request body; more get 413. By default there is no limit.')
      .optional(),
    body_timeout: duration()
      .describe('How long a client may go without sending a byte of a request body; then 408.')
      .prefault('30s'),
    send_timeout: duration()
      .describe('How long a client may go without taking a byte of a reply; then the connection is closed.')
      .prefault('30s'),
    middleware_timeout: duration()
      .describe('How long a request waits for a hook of its middleware where its route has no timeout; then 504.')
      .prefault('30s'),
    reload_timeout: duration()
      .describe(
        'How long a worker, or a module of your own, may take for each step of a start, a reload or a change of certificates or names; then it fails.',
      )
      .prefault('1m'),
    shutdown_timeout: durationOrZero(MAX_TIMER_MS)
      .describe('How long a shutdown waits for requests in flight before it cuts them off.')
      .prefault('30s'),
    worker_timeout: duration(MIN_WORKER_TIMEOUT_MS)
      .describe('How long a worker may be busy with one piece of code before it is ended and replaced, as stuck.')
      .prefault('5s'),
    merge_slashes: flag()
      .describe('Whether several slashes in a row in a path count as one, for matching and for the upstream.')
      .prefault(true),
    middleware: middlewareList()
      .describe('Middleware of every route, as in a route; what a route names again has the options of the route.')
      .prefault([]),
    error_pages: z
      .record(
        z.string().regex(/^(?:[45]\d\d|[45]xx)$/, { error: 'a status such as "404" or a class such as "5xx"' }),
        filePath(),
        { error: 'a mapping of statuses to files' },
      )
      .describe(
        'Files to answer with when the gateway itself makes an error reply, by status ("404") or class ("5xx").',
      )
      .optional(),
  })
  .describe('Listeners, limits and timeouts towards the clients.');
