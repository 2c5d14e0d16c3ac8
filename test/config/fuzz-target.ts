import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { ConfigError } from '../../src/config/diagnostic.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import type { ConfigFormat } from '../../src/config/parse-text.ts';
import type { Target } from '../fuzz/target.ts';

interface ConfigurationInput {
  readonly format: ConfigFormat;
  readonly text: string;
}

const QUICK_START = readFileSync(new URL('../../examples/quickstart/config.yaml', import.meta.url), 'utf8');

const VALID: readonly ConfigurationInput[] = [
  { format: 'yaml', text: QUICK_START },
  {
    format: 'yaml',
    text: `server: {http_addr: ["127.0.0.1:80", ":81"], max_body_size: 1MiB}
load_balancing: &lb
  backends:
    web:
      upstreams:
        - {address: a:80, weight: 2}
        - address: \${HOST:-b}:80
routes:
  - path: "/**"
    methods: [GET, POST]
    timeout: 1h 30m
`,
  },
  {
    format: 'json',
    text: `{"server": {"http_addr": ":80", "workers": 2}, "load_balancing": {"backends": {"web": {"upstreams": [{"address": "a:80"}]}}},
 "routes": [{"id": "x\\u0041", "path": "/{id}/*", "backend": "web", "priority": -1, "match": {"headers": {"x": true}}}]}`,
  },
  {
    format: 'toml',
    text: `server.http_addr = ":80"
[load_balancing.backends.web]
upstreams = [{ address = "a:80", weight = 1 }, { address = 'b:80' }]
[[routes]]
path = "/api/**" # all of it
strip_prefix = "/api"
[[routes]]
path = "/"
retries = 2
`,
  },
];

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the substitution of the configuration
const PIECES: readonly string[] = [
  ...[
    ' ',
    '  ',
    '\n',
    '\t',
    '\r\n',
    '\0',
    '\u2028',
    '\ufeff',
    ':',
    ': ',
    '- ',
    '#',
    '"',
    "'",
    '\\',
    ',',
    '*lb',
    '&lb ',
  ],
  ...['{', '}', '[', ']', '[[', '${X}', '${X:-y}', '$${', '${X:?no}', '${', '{{', '|', '>', '<<: *lb\n', '!!binary x'],
  ...['null', 'true', '-1', '0', '1e9', '.inf', '0x10', '1970-01-01', '9'.repeat(20), '30s', '64KB', '/**', '^/(a+)+$'],
  ...[
    'server:',
    'routes:\n',
    'path',
    'upstreams',
    'weight',
    'x: y\n',
    '__proto__: {}\n',
    '"__proto__": 1,',
    'a.b = 1\n',
  ],
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: the substitution of the configuration

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...PIECES) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
);
const change = fc.record({ at: fc.nat({ max: 9999 }), removed: fc.oneof(fc.constant(0), fc.nat({ max: 9 })), piece });

const input = fc
  .tuple(fc.constantFrom(...VALID), fc.array(change, { minLength: 1, maxLength: 3 }))
  .map(([{ format, text }, changes]) => {
    let changed = text;
    for (const { at, removed, piece } of changes) {
      const position = Math.floor((at / 10_000) * (changed.length + 1));
      changed = changed.slice(0, position) + piece + changed.slice(position + removed);
    }
    return { format, text: changed };
  });

/** A text is a configuration, or what is wrong with it is said, with places that it has. */
export const configuration: Target<ConfigurationInput> = {
  name: 'configuration',
  inputs: input,
  examine: async ({ format, text }) => {
    try {
      parseConfig(text, { file: `photon.${format}`, format, env: {} });
      return 'read';
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      assert.ok(error.diagnostics.length > 0, 'an error without a reason');
      const lineCount = text.split(/\r\n|\r|\n/).length;
      for (const { line, column, message } of error.diagnostics) {
        assert.ok(line >= 1 && line <= lineCount && column >= 1, `${line}:${column} is no place: ${message}`);
      }
      return 'refused';
    }
  },
  runsInTests: 2000,
  shares: { read: 0.04, refused: 0.2 },
};
