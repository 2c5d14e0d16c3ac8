/**
 * The import rules of src/. Folders are rows: a file imports from its own folder or from an earlier row, never from a
 * later row and never sideways. The table below is the whole architecture; CONTRIBUTING.md says what each folder is.
 * Cycles are found by scripts/import-cycles.ts.
 */
const ROWS = [
  ['base'],
  ['http', 'memory'],
  ['telemetry', 'wire'],
  ['config'],
  ['routing', 'net'],
  ['upstream', 'cache'],
  ['pipeline'],
  ['middleware', 'messages'],
  ['worker', 'control', 'explain'],
  ['cli'],
];

const oneOf = (folders) => `(${folders.join('|')})`;

function rowRule(folder, earlier) {
  const allowed = [folder, ...earlier];
  return {
    name: `rows-${folder}`,
    comment: `src/${folder} may import from itself and from the rows before it: ${earlier.join(', ') || 'none'}`,
    severity: 'error',
    from: { path: `^src/${folder}/` },
    to: { path: '^src/', pathNot: `^src/${oneOf(allowed)}/` },
  };
}

const rowRules = ROWS.flatMap((row, index) => {
  const earlier = ROWS.slice(0, index).flat();
  return row.map((folder) => rowRule(folder, earlier));
});

export default {
  forbidden: [
    ...rowRules,
    {
      name: 'known-folders',
      comment: 'a new folder of src/ needs a row in .dependency-cruiser.mjs first',
      severity: 'error',
      from: { path: '^src/.+/', pathNot: `^src/${oneOf(ROWS.flat())}/` },
      to: {},
    },
    {
      name: 'doors',
      comment:
        'src/main.ts and src/index.ts are doors: neither goes through the other, and the rows keep the rest away',
      severity: 'error',
      from: { path: '^src/[^/]+$' },
      to: { path: '^src/[^/]+$' },
    },
    {
      name: 'sockets-in-net',
      comment: 'only src/net/ and src/control/admin/ open sockets or speak HTTP through Node',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(net|control/admin)/' },
      to: { dependencyTypes: ['core'], path: '^(net|tls|dgram|http|https|http2)$' },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'runtime-dependencies-only',
      comment: 'what src/ imports must be there for a user too: "dependencies" in package.json',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-optional', 'npm-peer'] },
    },
    {
      name: 'src-stands-alone',
      comment: 'tests, benchmarks and scripts know src/, not the other way round',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts|examples)/' },
    },
  ],
  options: {
    // The parser of this tool for TypeScript is the compiler's JavaScript API, which TypeScript 7 does not have.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js'],
    },
  },
};
