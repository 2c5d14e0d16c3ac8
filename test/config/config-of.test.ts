import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type {
  BackendConfig,
  Config,
  ConfigOptions,
  RouteConfig,
  ServerConfig,
  UpstreamConfig,
} from '../../src/config/config.ts';
import { type ConfigOf, configConverter } from '../../src/config/config-of.ts';
import { statusSet } from '../../src/config/http-option-types.ts';
import {
  byteSize,
  duration,
  durationOrZero,
  filePath,
  flag,
  oneOf,
  wholeNumber,
} from '../../src/config/option-types.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { type ConfigInput, configSchema } from '../../src/config/schema/document.ts';

/** Whether two types are the same, `any` and `readonly` included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

const NAMES = [
  { key: 'retries', option: wholeNumber(0, 100), name: 'retries', why: 'a single word stays' },
  { key: 'pid_file', option: filePath(), name: 'pidFile', why: 'words are joined' },
  { key: 'cache_with_query_params', option: flag(), name: 'cacheWithQueryParams', why: 'every word counts' },
  { key: '$schema', option: filePath(), name: '$schema', why: 'signs are no words' },
  { key: 'ttl', option: duration(), name: 'ttlMs', why: 'a duration has its unit' },
  {
    key: 'shutdown_timeout',
    option: durationOrZero(9),
    name: 'shutdownTimeoutMs',
    why: 'a duration that may be 0, too',
  },
  { key: 'max_target', option: byteSize(0), name: 'maxTargetBytes', why: 'a size has its unit' },
  { key: 'max_body_size', option: byteSize(0), name: 'maxBodyBytes', why: 'the unit says that it is a size' },
  { key: 'queue_size', option: wholeNumber(0, 64), name: 'queueSize', why: 'a count is not a size in bytes' },
  { key: 'window', option: duration().describe('A window.'), name: 'windowMs', why: 'a description keeps the unit' },
  { key: 'idle', option: duration().meta({ examples: ['12s'] }), name: 'idleMs', why: 'examples keep the unit' },
  {
    key: 'slow_start',
    option: duration().optional(),
    name: 'slowStartMs',
    why: 'an option that may be left out has one',
  },
  { key: 'interval', option: duration().prefault('12s'), name: 'intervalMs', why: 'an option with a default has one' },
  {
    key: 'max_age',
    option: duration().transform((ms) => ms / 1000),
    name: 'maxAge',
    why: 'a value in another unit has none',
  },
];

for (const { key, option, name, why } of NAMES) {
  test(`an option ${key} is ${name} in the configuration: ${why}`, () => {
    const convert = configConverter(z.strictObject({ [key]: option }));
    assert.deepEqual(convert({ [key]: 12 }), { [name]: 12 });
  });
}

const block = z.strictObject({
  drain_timeout: duration().describe('How long to drain.').prefault('12s'),
  idle_time: durationOrZero(60_000).optional(),
  max_chunk_size: byteSize(0).prefault('12KiB').describe('The longest chunk.'),
  max_memory: byteSize(0).optional(),
  drain_mode: oneOf(['fast', 'gentle']).prefault('gentle'),
  good_status: statusSet().prefault(204),
  tcp_options: z.strictObject({ no_delay: flag(), linger_time: duration().optional() }).optional(),
  more_files: z.array(z.strictObject({ file_path: filePath(), read_timeout: duration() })).optional(),
  by_name: z.record(z.string(), z.strictObject({ is_open: flag().optional() })).prefault({}),
  redirect_port: z.union([flag(), wholeNumber(1, 65_535)]).prefault(false),
});

type Block = {
  readonly drainTimeoutMs: number;
  readonly idleTimeMs: number | null;
  readonly maxChunkBytes: number;
  readonly maxMemoryBytes: number | null;
  readonly drainMode: 'fast' | 'gentle';
  readonly goodStatus: readonly { readonly min: number; readonly max: number }[];
  readonly tcpOptions: { readonly noDelay: boolean; readonly lingerTimeMs: number | null } | null;
  readonly moreFiles: readonly { readonly filePath: string; readonly readTimeoutMs: number }[] | null;
  readonly byName: Readonly<Record<string, { readonly isOpen: boolean | null }>>;
  readonly redirectPort: boolean | number;
};

test('a block of options has in the configuration the type that its schema gives it', () => {
  const isSame: Same<ConfigOf<typeof block>, Block> = true;
  assert.ok(isSame);
});

test('what is left out of a block is null where it has no default', () => {
  assert.deepEqual(configConverter(block)(block.parse({})), {
    drainTimeoutMs: 12_000,
    idleTimeMs: null,
    maxChunkBytes: 12 * 1024,
    maxMemoryBytes: null,
    drainMode: 'gentle',
    goodStatus: [{ min: 204, max: 204 }],
    tcpOptions: null,
    moreFiles: null,
    byName: {},
    redirectPort: false,
  });
});

test('mappings and lists within a block are converted, and the names that a user chooses stay', () => {
  const written = {
    drain_timeout: '34s',
    tcp_options: { no_delay: true, linger_time: '56ms' },
    more_files: [{ file_path: 'some.pem', read_timeout: '78s' }],
    by_name: { some_name: { is_open: false }, other_name: {} },
  };
  const { drainTimeoutMs, tcpOptions, moreFiles, byName } = configConverter(block)(block.parse(written));
  assert.equal(drainTimeoutMs, 34_000);
  assert.deepEqual(tcpOptions, { noDelay: true, lingerTimeMs: 56 });
  assert.deepEqual(moreFiles, [{ filePath: 'some.pem', readTimeoutMs: 78_000 }]);
  assert.deepEqual(byName, { some_name: { isOpen: false }, other_name: { isOpen: null } });
});

/** What of a block the configuration has under another name, because something is made of it. */
type Replaced<Options, Resolved> = Exclude<keyof Options, keyof Resolved>;
type BackendOptions = ConfigOptions['loadBalancing']['backends'][string];

const DOCUMENT = {
  server: { http_addr: '127.0.0.1:8080' },
  load_balancing: { backends: { web: { upstreams: [{ address: '127.0.0.1:3000' }], sticky: { cookie: 'seen' } } } },
  routes: [{ path: '/**' }],
} satisfies ConfigInput;

const options = configConverter(configSchema)(configSchema.parse(DOCUMENT));
const { config } = parseConfig(JSON.stringify(DOCUMENT), { file: 'photon.json', format: 'json', env: {} });

const BLOCKS: readonly {
  block: string;
  of: object | undefined;
  in: object | undefined;
  replaced: readonly string[];
}[] = [
  {
    block: 'the document',
    of: options,
    in: config,
    replaced: ['$schema', 'include', 'loadBalancing', 'middleware'] satisfies Replaced<ConfigOptions, Config>[],
  },
  {
    block: 'server',
    of: options.server,
    in: config.server,
    replaced: ['tlsCert', 'tlsKey', 'clientCa', 'clientAuth'] satisfies Replaced<
      ConfigOptions['server'],
      ServerConfig
    >[],
  },
  {
    block: 'a backend',
    of: options.loadBalancing.backends['web'],
    in: config.backends[0],
    replaced: [] satisfies Replaced<BackendOptions, BackendConfig>[],
  },
  {
    block: 'an upstream',
    of: options.loadBalancing.backends['web']?.upstreams[0],
    in: config.backends[0]?.upstreams[0],
    replaced: ['tlsCert', 'tlsKey'] satisfies Replaced<BackendOptions['upstreams'][number], UpstreamConfig>[],
  },
  {
    block: 'a route',
    of: options.routes[0],
    in: config.routes[0],
    replaced: [] satisfies Replaced<ConfigOptions['routes'][number], RouteConfig>[],
  },
  { block: 'health_check', of: options.healthCheck, in: config.healthCheck, replaced: [] },
  { block: 'access_log', of: options.accessLog, in: config.accessLog, replaced: ['output'] },
];

for (const { block, of, in: resolved, replaced } of BLOCKS) {
  test(`every option of ${block} is in the configuration, but for those that it makes something of`, () => {
    assert.ok(of !== undefined && resolved !== undefined);
    assert.deepEqual(
      Object.keys(of).filter((name) => !Object.hasOwn(resolved, name)),
      replaced,
    );
  });
}

test('a block that nothing is made of is in the configuration as it is', () => {
  assert.deepEqual(config.cache, options.cache);
  assert.deepEqual(config.metrics, options.metrics);
  assert.deepEqual(config.tracing, options.tracing);
  const isSame: Same<Config['cache'], ConfigOptions['cache']> = true;
  assert.ok(isSame);
});
