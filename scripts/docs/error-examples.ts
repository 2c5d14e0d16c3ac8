// biome-ignore-all lint/suspicious/noTemplateCurlyInString: configurations with substitutions look like one
import type { DiagnosticCode } from '../../src/config/finding.ts';

/** How a code comes about and how to mend it. */
interface ErrorExample {
  /** Lines of a YAML file that is told about with the code; null where it takes more than one file to show. */
  readonly lines: readonly string[] | null;
  readonly mend: string;
}

const REST = [
  'load_balancing: { backends: { web: { upstreams: [{ address: "10.0.0.1:80" }] } } }',
  'routes: [{ path: /** }]',
];
const SERVER = 'server: { http_addr: ":8080" }';
const server = (options: string) => [`server: { http_addr: ":8080", ${options} }`, ...REST];
const backends = (text: string) => [SERVER, `load_balancing: { backends: { ${text} } }`, 'routes: [{ path: /** }]'];
const routes = (...items: readonly string[]) => [
  SERVER,
  String(REST[0]),
  'routes:',
  ...items.map((item) => `  - ${item}`),
];
const more = (...lines: readonly string[]) => [SERVER, ...REST, ...lines];

export const ERROR_EXAMPLES: Readonly<Record<DiagnosticCode, ErrorExample>> = {
  'unusable-tls-file': {
    lines: null,
    mend: 'Look at the file that the message names: it has to be PEM, a key unencrypted and that of its certificate, and the user that Photon runs as has to be able to read it.',
  },
  'unusable-public-key': {
    lines: null,
    mend: 'Name the PEM file of the public key of the issuer, one that fits the algorithms.',
  },
  'unusable-user': {
    lines: null,
    mend: 'A line is a name, a colon and a hash. Make it with `htpasswd -B`, or with `openssl passwd -6` behind the name and its colon; comments begin with `#`.',
  },
  'duplicate-user': { lines: null, mend: 'Leave one of the two, in the configuration or in the file.' },
  'unusable-listener': {
    lines: null,
    mend: 'Make the directory of the socket, or take away the file that is in its place.',
  },
  'unusable-control-socket': {
    lines: null,
    mend: 'Give the directory to the user that Photon runs as, with mode 0700, or set `server.upgrade_sock` to a place of its own.',
  },
  'unusable-pid-file': { lines: null, mend: 'Make the directory, and let the user that Photon runs as write there.' },
  'unusable-log-file': { lines: null, mend: 'Make the directory, and let the user that Photon runs as write there.' },
  'unresolved-name': {
    lines: null,
    mend: 'Look at the spelling of the name, and at the resolver of the machine. Photon starts all the same; requests for the upstream fail until the name resolves.',
  },
  'file-not-found': {
    lines: null,
    mend: 'Look at the name after `--config`, and at the directory that Photon is started in.',
  },
  'file-unreadable': { lines: null, mend: 'Let the user that Photon runs as read it: `chmod`, `chown`, or a group.' },
  'not-a-file': { lines: null, mend: 'Name a file; a directory of files is read with `include`.' },
  'file-too-large': {
    lines: null,
    mend: 'A configuration has at most 16 MiB, and a secret in `${file:...}` at most 1 MiB. Ten thousand routes take about one megabyte; perhaps it is another file.',
  },
  'file-empty': { lines: ['# nothing but a comment'], mend: 'Write a listener, a backend and a route.' },
  'not-utf8': { lines: null, mend: 'Save the file as UTF-8; the message has the line where something else begins.' },
  'unknown-format': {
    lines: null,
    mend: 'Give the file a name that ends in `.yaml`, `.yml`, `.json`, `.toml` or `.ts`. Only the first four can be included.',
  },
  'syntax-error': {
    lines: ['server: { http_addr: ":8080"', ...REST],
    mend: 'Look at the place and at the line before it: most often a quote, bracket or colon is missing, or a text needs quotes.',
  },
  'too-complex': {
    lines: null,
    mend: 'Lists and mappings may be nested 64 levels deep, and aliases of YAML may stand for 100,000 values in all.',
  },
  'duplicate-key': { lines: [...server('workers: 2'), SERVER], mend: 'Put the options of both into one of them.' },
  'reserved-key': { lines: more('__proto__: {}'), mend: 'Choose another name.' },
  'bad-substitution': {
    lines: ['server: { http_addr: ":${PORT-8080}" }', ...REST],
    mend: 'Write `${NAME}`, `${NAME:-default}`, `${NAME:?message}` or `${file:/path}`, none within another. A literal `${` is written `$${`.',
  },
  'unset-variable': {
    lines: ['server: { http_addr: ":${PORT}" }', ...REST],
    mend: 'Set the variable where Photon is started, or write a default: `${PORT:-8080}`.',
  },
  'unreadable-secret': {
    lines: server('pid_file: "${file:/run/secrets/none}"'),
    mend: 'Look at the path, which is relative to the configuration, and at who may read it.',
  },
  'unknown-key': {
    lines: server('worker: 2'),
    mend: 'Correct the spelling or the indentation. Photon ignores nothing that it does not know.',
  },
  'missing-key': { lines: ['server: {}', ...REST], mend: 'Add the option; the message says what is wanted.' },
  'wrong-type': {
    lines: server('workers: "4"'),
    mend: 'Write the kind of value that is wanted. Numbers and `true` stand without quotes, texts may need them.',
  },
  'bad-value': { lines: server('body_timeout: 30 sec'), mend: 'Write what the message wants.' },
  'unknown-backend': {
    lines: routes('{ path: /**, backend: wbe }'),
    mend: 'Name a backend of `load_balancing.backends`.',
  },
  'unknown-middleware': {
    lines: routes('{ path: /**, middleware: [auht] }'),
    mend: 'Name a middleware that there is, or one of `middleware.custom`.',
  },
  'missing-block': {
    lines: routes('{ path: /**, middleware: [cors] }'),
    mend: 'Write the options into a block below `middleware`, or beside the name: `{cors: {allowed_origins: [...]}}`.',
  },
  'duplicate-middleware': {
    lines: routes('{ path: /**, middleware: [headers, headers] }'),
    mend: 'Name it once. Only rate limits may stand in a list several times, each with options of its own.',
  },
  'duplicate-backend': { lines: null, mend: 'Rename one of the two backends; the message has both places.' },
  'duplicate-block': { lines: null, mend: 'Keep the block in one of the two files; the message has both places.' },
  conflict: {
    lines: routes('{ path: /**, middleware: [{ respond: { body: hello, body_file: hello.txt } }] }'),
    mend: 'Keep the one that you mean.',
  },
  'unsafe-regex': {
    lines: routes('{ path: "^/(a+)+$" }'),
    mend: 'Write it so that a text can match in one way only: no repetition within a repetition, no neighbours that take the same characters. `[^/]+` for a segment is safe where `.*` is not. Repetitions up to a number count too: `(a{1,3}){1,9}` is `a{1,27}`. An origin is looked at as a whole, with an end that Photon writes.',
  },
  'include-not-found': {
    lines: more('include: [conf.d/none.yaml]'),
    mend: 'Look at the path, which is relative to the file that includes. A pattern (`conf.d/*.yaml`) may find nothing.',
  },
  'include-limit': {
    lines: null,
    mend: 'At most 1,000 files of 16 MiB together are included; make the pattern narrower.',
  },
  'include-not-allowed': {
    lines: null,
    mend: 'Move the block into the main file. Others hold `routes`, `load_balancing.backends` and `middleware`, and include nothing.',
  },
  'module-failed': {
    lines: null,
    mend: 'Run the file with `node photon.config.ts` to see the whole error. It has to `export default` a configuration.',
  },
  'not-plain-data': {
    lines: null,
    mend: 'Write texts, numbers, `true`, `false`, lists and mappings, and nothing that is a function or an object of a class.',
  },
  'duplicate-id': {
    lines: routes('{ id: a, path: /a }', '{ id: a, path: /b }'),
    mend: 'Give each route an id of its own; the message has both places.',
  },
  'duplicate-listener': {
    lines: ['server: { http_addr: [":8080", "127.0.0.1:8080"] }', ...REST],
    mend: 'Remove one: an address without a host takes the port on every address.',
  },
  'duplicate-upstream': {
    lines: backends('web: { upstreams: [{ address: "a:80" }, { address: "a:80" }] }'),
    mend: 'Name it once, with a higher `weight` if it shall have more of the traffic.',
  },
  'duplicate-header': {
    lines: routes('{ path: /**, match: { headers: { X-A: "1", x-a: "2" } } }'),
    mend: 'Keep one; a header has the same name in every spelling.',
  },
  'no-weight': {
    lines: backends('web: { upstreams: [{ address: "a:80", weight: 0 }] }'),
    mend: 'Give at least one upstream a weight above 0.',
  },
  'unreachable-route': {
    lines: routes('{ path: /a/b }', '{ path: /a/*, priority: 1 }'),
    mend: 'Take the `priority` away, narrow the other route, or remove this one. Ask for no header that is dropped, or that `forward_claims` fills.',
  },
  'weak-secret': {
    lines: more('middleware: { authentication: { auth_type: jwt, jwt: { secret: changeme } } }'),
    mend: 'Make a random one: `openssl rand -base64 32`. Keep it in a file and write `${file:/run/secrets/jwt}`.',
  },
  'open-credentials': {
    lines: more('middleware: { cors: { allowed_origins: ["*"], allow_credentials: true } }'),
    mend: 'Name the origins that may send credentials.',
  },
  'no-credentials': {
    lines: more('middleware: { authentication: { auth_type: api_key, api_key: { header: X-Key } } }'),
    mend: 'Add `keys`, `consumers`, `users` or `htpasswd`.',
  },
  'trusts-everybody': {
    lines: server('trusted_proxies: [0.0.0.0/0]'),
    mend: 'Name the addresses that your proxies connect from.',
  },
  'no-effect': {
    lines: server('tls_ticket_keys: /run/keys'),
    mend: 'Add the option that it works with, or remove it.',
  },
  'not-active-yet': {
    lines: more('cache: { enabled: true }'),
    mend: 'Nothing: Photon starts and works as if the option were not there. A later version acts upon it.',
  },
  'not-available-yet': {
    lines: routes('{ path: /**, websocket: { enabled: true } }'),
    mend: '`check` and `explain` take such a configuration, but Photon does not start with it: to serve without the protection would not be safe. Remove it, or wait for the version that has it.',
  },
};
