import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BACKENDS, diagnosticsOf, lines, parseYamlConfig, SERVER } from './documents.ts';

const withPaths = (path: string): string => {
  const quoted = JSON.stringify(path);
  return lines(
    SERVER,
    BACKENDS,
    `metrics: { metrics_path: ${quoted} }`,
    `health_check: { check_type: http, path: ${quoted} }`,
    'routes:',
    '  - path: /**',
    `    strip_prefix: ${quoted}`,
    `    middleware: [ { rewrite: { replace_prefix: { from: ${quoted}, to: ${quoted} } } } ]`,
  );
};

for (const { written, path, why } of [
  { written: '/v1', path: '/v1', why: 'a path in normal form stays as it is' },
  { written: '/v1/', path: '/v1/', why: 'a slash at the end counts' },
  { written: '/', path: '/', why: 'the shortest' },
  { written: '/caf\u00e9', path: '/caf%C3%A9', why: 'what is not ASCII is percent-encoded as UTF-8' },
  { written: '/a\u010aX-Evil:b', path: '/a%C4%8AX-Evil:b', why: 'no character is cut down to the end of a line' },
  { written: '/caf%c3%a9', path: '/caf%C3%A9', why: 'digits in upper case' },
  { written: '/%61%7Eb', path: '/a~b', why: 'what need not be encoded is not' },
  { written: '/a%2fb', path: '/a%2Fb', why: 'an encoded slash is no slash' },
  { written: '/a/./b/../c', path: '/a/c', why: 'no dot segments' },
]) {
  test(`"${written}" as a path of an option is ${path}: ${why}`, () => {
    const { routes, metrics, healthCheck } = parseYamlConfig(withPaths(written));
    assert.equal(metrics.metricsPath, path);
    assert.equal(healthCheck.path, path);
    assert.equal(routes[0]?.stripPrefix, path);
    const [rewrite] = routes[0]?.middleware ?? [];
    assert.deepEqual(rewrite?.name === 'rewrite' && rewrite.module === null && rewrite.options.replace_prefix, {
      from: path,
      to: path,
    });
  });
}

for (const { written, why } of [
  { written: 'v1', why: 'no slash in front' },
  { written: '/a b', why: 'a blank' },
  { written: '/a?b', why: 'a query' },
  { written: '/a\\b', why: 'a backslash' },
  { written: '/100%', why: 'a percent sign that stands alone' },
  { written: '/a%00', why: 'a control character, encoded' },
  { written: '/../a', why: 'a way above the root' },
  { written: '/\ud800', why: 'half a character' },
]) {
  test(`"${written}" is no path of an option: ${why}`, () => {
    const diagnostics = diagnosticsOf(withPaths(written)).filter(({ severity }) => severity === 'error');
    assert.deepEqual(
      new Set(diagnostics.map(({ path }) => path)),
      new Set([
        'metrics.metrics_path',
        'health_check.path',
        'routes[0].strip_prefix',
        'routes[0].middleware[0].rewrite.replace_prefix.from',
        'routes[0].middleware[0].rewrite.replace_prefix.to',
      ]),
    );
    for (const { message } of diagnostics) assert.match(message, /want a path that starts with "\/"/);
  });
}

const withRewrite = (rewrite: object): string =>
  lines(
    SERVER,
    BACKENDS,
    'routes:',
    '  - path: /u/{id}',
    `    middleware: [ { rewrite: ${JSON.stringify(rewrite)} } ]`,
  );

const rewriteOf = (text: string) => {
  const [rewrite] = parseYamlConfig(text).routes[0]?.middleware ?? [];
  assert.ok(rewrite?.name === 'rewrite' && rewrite.module === null);
  return rewrite.options;
};

for (const { written, kept, why } of [
  { written: '/users/{path.id}', kept: '/users/{path.id}', why: 'placeholders stay' },
  {
    written: '/caf\u00e9/{path.id}',
    kept: '/caf%C3%A9/{path.id}',
    why: 'what is not ASCII is percent-encoded as UTF-8',
  },
  { written: '/..{path.id}', kept: '/..{path.id}', why: 'dots before something are no dot segment' },
  { written: '/a{{b}}', kept: '/a{{b}}', why: 'literal braces' },
]) {
  test(`"${written}" as a path to rewrite to is "${kept}": ${why}`, () => {
    assert.equal(rewriteOf(withRewrite({ path: written })).path, kept);
  });
}

for (const { written, kept, why } of [
  { written: '/$2/caf\u00e9-$1', kept: '/$2/caf%C3%A9-$1', why: 'what is not ASCII is percent-encoded as UTF-8' },
  { written: '', kept: '', why: 'nothing' },
  { written: '$1', kept: '$1', why: 'a group' },
  { written: '..$1', kept: '..$1', why: 'dots before something are no dot segment' },
]) {
  test(`"${written}" as a replacement is "${kept}": ${why}`, () => {
    const regex = { pattern: '^/x([^-]*)-([^-]*)$', replacement: written };
    assert.equal(rewriteOf(withRewrite({ regex })).regex?.replacement, kept);
  });
}

for (const { written, why } of [
  { written: '/100%/x', why: 'a percent sign that stands alone' },
  { written: '/a\\b', why: 'a backslash' },
  { written: '/a/../b', why: 'a dot segment' },
  { written: '/a%5Cb', why: 'a backslash, encoded' },
  { written: '/\ud800', why: 'half a character' },
]) {
  test(`"${written}" is nothing to rewrite to, for every request would be refused: ${why}`, () => {
    const regex = { pattern: '^/x', replacement: written };
    const rewrites: readonly (readonly [object, string])[] = [
      [{ path: written }, 'path'],
      [{ regex }, 'regex.replacement'],
    ];
    for (const [rewrite, place] of rewrites) {
      const [diagnostic] = diagnosticsOf(withRewrite(rewrite));
      assert.equal(diagnostic?.path, `routes[0].middleware[0].rewrite.${place}`);
      assert.match(diagnostic.message, /with two hexadecimal digits after each percent sign/);
    }
  });
}
