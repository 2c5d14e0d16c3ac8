import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../src/config/diagnostic.ts';
import { type OptionFault, parseConfig } from '../../src/config/parse-config.ts';
import { BACKENDS, lines, placesOf, ROUTES, SERVER } from './documents.ts';

const TEXT = lines(SERVER, BACKENDS, ROUTES);
const PATH = ['server', 'http_addr'];

const warning: OptionFault = { code: 'unresolved-name', severity: 'warning', path: PATH, message: 'Nobody is there' };
const error: OptionFault = { ...warning, severity: 'error' };

function parse(text: string, faults: readonly OptionFault[]) {
  return parseConfig(text, { file: 'a.yaml', format: 'yaml', env: {}, findFaults: () => faults });
}

function placesThrown(text: string, faults: readonly OptionFault[]): readonly string[] {
  try {
    parse(text, faults);
  } catch (thrown) {
    assert.ok(thrown instanceof ConfigError);
    return placesOf(thrown.diagnostics);
  }
  assert.fail('nothing was thrown');
}

test('a warning from outside is shown at its option, like any other', () => {
  const { warnings } = parse(TEXT, [warning]);
  assert.deepEqual(placesOf(warnings), ['unresolved-name server.http_addr 2:14']);
  assert.match(warnings[0]?.frame ?? '', /http_addr/);
  assert.equal(warnings[0]?.message, 'Nobody is there');
});

test('an error from outside makes the configuration unusable, and the warnings are told with it', () => {
  const text = TEXT.replace('routes:', 'cache: { enabled: true }\nroutes:');
  const [first = '', second = '', ...more] = placesThrown(text, [error]);
  assert.match(first, /^unresolved-name server\.http_addr 2:/);
  assert.match(second, /^not-active-yet cache /);
  assert.deepEqual(more, []);
});

test('nothing outside is looked at for a configuration that has errors itself', () => {
  const [place = '', ...more] = placesThrown(TEXT.replace('path: /', 'path: x/'), [error]);
  assert.match(place, /^bad-value routes\[0\]\.path/);
  assert.deepEqual(more, []);
});

test('an option that is not written in the file is shown at what would hold it', () => {
  const { warnings } = parse(TEXT, [{ ...warning, path: ['server', 'pid_file'] }]);
  assert.match(placesOf(warnings)[0] ?? '', /^unresolved-name server\.pid_file \d+:\d+$/);
});
