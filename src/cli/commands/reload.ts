import type { ReloadResult } from '../../control/reloader.ts';
import { askRunningGateway } from '../ask-running-gateway.ts';
import { EXIT_CODE, type ExitCode } from '../exit-code.ts';

/** Has the running gateway read its configuration file again, waits for the result and says it. */
export async function reload(configFile: string): Promise<ExitCode> {
  try {
    // Sound: the gateway answers `reload` with one.
    const result = (await askRunningGateway(configFile, { command: 'reload' })) as ReloadResult;
    if (result.outcome === 'failed') {
      process.stderr.write(`photon: Cannot reload ${configFile}: ${result.reason}\n`);
      return EXIT_CODE.failure;
    }
    process.stdout.write(`${describe(result)}\n`);
    return EXIT_CODE.ok;
  } catch (error) {
    process.stderr.write(`photon: ${(error as Error).message}\n`);
    return EXIT_CODE.failure;
  }
}

function describe(result: Exclude<ReloadResult, { outcome: 'failed' }>): string {
  if (result.outcome === 'unchanged') return `nothing has changed (${result.tookMs} ms)`;
  const { changes, moduleBytes } = result;
  const { routes, upstreams, upstreamsKept, blocks, needRestart } = changes;
  const parts = [
    ...count('route', routes),
    ...count('upstream', upstreams),
    upstreamsKept > 0 ? `${upstreamsKept} upstreams kept with their connections` : '',
    blocks.length > 0 ? `changed: ${blocks.join(', ')}` : '',
    moduleBytes > 0 ? `${moduleBytes} bytes of modules loaded so far` : '',
    needRestart.length > 0 ? `takes effect with the next start: ${needRestart.join(', ')}` : '',
  ];
  return [`reloaded in ${result.tookMs} ms`, ...parts.filter((part) => part !== '')].join('\n  ');
}

function count(
  what: string,
  { added, removed, changed }: { added: readonly string[]; removed: readonly string[]; changed: readonly string[] },
): string[] {
  const kinds = [
    ['added', added],
    ['removed', removed],
    ['changed', changed],
  ] as const;
  return kinds.flatMap(([kind, names]) =>
    names.length === 0 ? [] : [`${names.length} ${what}${names.length === 1 ? '' : 's'} ${kind}`],
  );
}
