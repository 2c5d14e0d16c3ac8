// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a configuration with a substitution looks like one
/** What new users write, and the heading under which the page shows what they are told. */
export interface Mistake {
  readonly title: string;
  readonly file: string;
  readonly text: string;
}

const yaml = (title: string, ...lines: readonly string[]): Mistake => ({
  title,
  file: 'photon.yaml',
  text: `${lines.join('\n')}\n`,
});

const SERVER = ['server:', '  http_addr: ":8080"'];
const BACKENDS = [
  'load_balancing:',
  '  backends:',
  '    web:',
  '      upstreams:',
  '        - address: 127.0.0.1:3000',
];
const ROUTES = ['routes:', '  - path: /**', '    backend: web'];

export const MISTAKES: readonly Mistake[] = [
  yaml('A line that is indented too far', 'server:', '  http_addr: ":8080"', '    workers: 2', ...BACKENDS, ...ROUTES),
  yaml(
    'A line that is indented too little',
    ...SERVER,
    'load_balancing:',
    'backends:',
    '  web:',
    '    upstreams:',
    '      - address: 127.0.0.1:3000',
    ...ROUTES,
  ),
  yaml('A misspelt key', ...SERVER, ...BACKENDS, 'routes:', '  - path: /**', '    bakend: web'),
  yaml('A backend that is not there', ...SERVER, ...BACKENDS, 'routes:', '  - path: /**', '    backend: wbe'),
  yaml('A number in quotes', ...SERVER, '  workers: "4"', ...BACKENDS, ...ROUTES),
  yaml('A duration without a unit', ...SERVER, ...BACKENDS, ...ROUTES, '    timeout: 30'),
  yaml(
    'HTTPS with a certificate, but without its key',
    'server:',
    '  https_addr: ":8443"',
    '  tls_cert: cert.pem',
    ...BACKENDS,
    ...ROUTES,
  ),
  yaml('A tab for indentation', 'server:', '\thttp_addr: ":8080"', ...BACKENDS, ...ROUTES),
  yaml('A missing colon', 'server', '  http_addr: ":8080"', ...BACKENDS, ...ROUTES),
  yaml('A missing blank after the colon', 'server:', '  http_addr:":8080"', ...BACKENDS, ...ROUTES),
  yaml(
    'A list where a mapping is wanted',
    ...SERVER,
    'load_balancing:',
    '  backends:',
    '    - name: web',
    '      upstreams:',
    '        - address: 127.0.0.1:3000',
    ...ROUTES,
  ),
  yaml('A mapping where a list is wanted', ...SERVER, ...BACKENDS, 'routes:', '  path: /**', '  backend: web'),
  yaml('A star without quotes', ...SERVER, ...BACKENDS, ...ROUTES, '    host: *.example.com'),
  yaml('A port alone as an address', 'server:', '  http_addr: 8080', ...BACKENDS, ...ROUTES),
  yaml(
    'A URL as an address',
    ...SERVER,
    ...BACKENDS.slice(0, -1),
    '        - address: http://127.0.0.1:3000',
    ...ROUTES,
  ),
  yaml('A word for true', ...SERVER, '  merge_slashes: yes', ...BACKENDS, ...ROUTES),
  yaml('A method in lower case', ...SERVER, ...BACKENDS, ...ROUTES, '    methods: [get]'),
  yaml('A path without its slash', ...SERVER, ...BACKENDS, 'routes:', '  - path: api/**', '    backend: web'),
  yaml('A variable that is not set', 'server:', '  http_addr: ${PHOTON_ADDRESS}', ...BACKENDS, ...ROUTES),
  yaml('One key twice', ...SERVER, ...BACKENDS, ...ROUTES, 'server:', '  workers: 2'),
  yaml('Middleware that is not set up', ...SERVER, ...BACKENDS, ...ROUTES, '    middleware: [rate_limit]'),
  yaml(
    'Authentication of a kind without its options',
    ...SERVER,
    ...BACKENDS,
    ...ROUTES,
    'middleware:',
    '  authentication:',
    '    auth_type: jwt',
  ),
  {
    title: 'A comma too many in JSON',
    file: 'photon.json',
    text: '{\n  "server": { "http_addr": ":8080", },\n  "routes": []\n}\n',
  },
  {
    title: 'A text without quotes in TOML',
    file: 'photon.toml',
    text: '[server]\nhttp_addr = :8080\n',
  },
];
