import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

/*
 * The page on the command line shows what commands print. They are run on the files that the page shows, and have to print
 * that: `PHOTON_WRITE_PAGES=1` writes what they print into the page.
 */

const PAGE = fileURLToPath(new URL('../../docs/command-line.md', import.meta.url));
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const directory = mkdtempSync(join(tmpdir(), 'photon-page-'));
after(() => rmSync(directory, { recursive: true }));

const page = readFileSync(PAGE, 'utf8');
for (const [, name = '', text = ''] of page.matchAll(/^```yaml (\S+)\n([\s\S]*?)^```$/gm)) {
  writeFileSync(join(directory, name), text);
}

/** The words of a command as a shell would read them: with double quotes and without anything else that is special. */
function wordsOf(command: string): readonly string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

function outputOf(command: string): string {
  const [program, ...args] = wordsOf(command);
  assert.equal(program, 'photon');
  const { stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, LOG_LEVEL: 'info', NO_COLOR: '1' },
  });
  return stdout + stderr;
}

/** A block with all of its commands, each followed by what it prints. */
function played(block: string): string {
  const commands = block.split('\n').filter((line) => line.startsWith('$ '));
  return commands.map((line) => `${line}\n${outputOf(line.slice(2))}`).join('\n');
}

const CONSOLE = /^```console\n([\s\S]*?)^```$/gm;

test('every command on the page prints what the page shows', () => {
  const blocks = [...page.matchAll(CONSOLE)];
  assert.ok(blocks.length >= 6, 'hardly any example was found');
  if (process.env['PHOTON_WRITE_PAGES'] === '1') {
    writeFileSync(
      PAGE,
      page.replace(CONSOLE, (_all, block: string) => `\`\`\`console\n${played(block)}\`\`\``),
    );
    return;
  }
  for (const [, block = ''] of blocks) assert.equal(block, played(block));
});

test('every command that the program lists is on the page', () => {
  const listed = [...outputOf('photon --help').matchAll(/^ {2}([a-z]+) (?:\[options\]| {2})/gm)].map(
    ([, name]) => name,
  );
  assert.ok(listed.length >= 4, listed.join());
  for (const name of listed) assert.match(page, new RegExp(`^## photon ${name}$`, 'm'));
});

test('every option of every command is on the page', () => {
  for (const command of ['check', 'explain', 'routes', 'schema']) {
    const [own = ''] = outputOf(`photon ${command} --help`).split('Global Options:');
    for (const [, option = ''] of own.matchAll(/^ {2}(?:-\w, )?(--(?!help)[a-z-]+)/gm)) {
      const short = new RegExp(`(-\\w), ${option}`).exec(own)?.[1] ?? option;
      assert.ok(page.includes(`\`${option}`) || page.includes(`\`${short}\``), `${option} of ${command}`);
    }
  }
});
