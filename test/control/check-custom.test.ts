import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigError } from '../../src/config/diagnostic.ts';
import { loadConfig } from '../../src/control/load-config.ts';
import { temporaryDirectory } from './photon-process.ts';

/** A module whose options are numbers: `limit` must be below 100, and there must be no `other`. */
const MODULE = `import { defineMiddleware } from 'photon-gateway';
const schema = { '~standard': { version: 1, vendor: 'test', validate: (options: any) => {
  const issues = [
    ...(options.limit >= 100 ? [{ message: 'want less than 100', path: ['limit'] }] : []),
    ...(options.other === undefined ? [] : [{ message: 'want no such key', path: ['other', 0] }]),
  ];
  return issues.length === 0 ? { value: options } : { issues };
} } };
export default defineMiddleware({ name: 'audit', schema: schema as any, create: () => ({}) });
`;

const yaml = (options: string, use: string) => `server:
  http_addr: "127.0.0.1:0"
load_balancing: { backends: { web: { upstreams: [{ address: "127.0.0.1:9" }] } } }
middleware:
  custom:
    audit:
      module: ./audit.ts
      options: ${options}
routes:
  - path: /**
    middleware:
      - ${use}
`;

for (const { why, options, use, module, places } of [
  {
    why: 'an option of the block',
    options: '{ limit: 200 }',
    use: 'audit',
    module: MODULE,
    places: ['config.yaml:8:25'],
  },
  {
    why: 'an option of the route',
    options: '{ limit: 12 }',
    use: 'audit: { limit: 300 }',
    module: MODULE,
    places: ['config.yaml:12:25'],
  },
  {
    why: 'two of them, one in a list',
    options: '{ limit: 200, other: [one] }',
    use: 'audit',
    module: MODULE,
    places: ['config.yaml:8:25', 'config.yaml:8:38'],
  },
  {
    why: 'a line of the module',
    options: '{}',
    use: 'audit',
    module: 'export const a = 1;\n\nconst b: number = ;\n',
    places: ['audit.ts:3:19'],
  },
]) {
  test(`what is wrong with middleware of users is told at its place: ${why}`, async (t) => {
    const directory = temporaryDirectory(t);
    writeFileSync(join(directory, 'audit.ts'), module);
    const config = join(directory, 'config.yaml');
    writeFileSync(config, yaml(options, use));
    const error = await loadConfig(config).then(
      () => null,
      (failure: unknown) => failure,
    );
    assert.ok(error instanceof ConfigError);
    assert.deepEqual(
      error.diagnostics.map(({ file, line, column }) => `${file.slice(directory.length + 1)}:${line}:${column}`),
      places,
    );
    assert.ok(
      error.diagnostics.every(
        ({ code, message }) => code === 'module-failed' && message.startsWith('Cannot use the middleware "audit": '),
      ),
    );
  });
}
