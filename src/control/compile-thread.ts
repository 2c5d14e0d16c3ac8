/**
 * A thread that compiles one configuration and ends: reading ten thousand routes takes half a second, and what a configuration
 * written in TypeScript loads stays loaded for as long as its thread lives.
 */
import { parentPort } from 'node:worker_threads';
import { ConfigError } from '../config/diagnostic.ts';
import { compileConfig } from '../pipeline/compiled-config.ts';
import type { CompileAnswer } from './compiler.ts';
import { loadStartableConfig } from './load-config.ts';

parentPort?.once('message', async (file: string) => post(await compile(file)));
post({ type: 'ready' });

function post(answer: CompileAnswer): void {
  parentPort?.postMessage(answer);
}

async function compile(file: string): Promise<CompileAnswer> {
  try {
    const { config, codeVersion, warnings, files, includes } = await loadStartableConfig(file);
    return {
      type: 'compiled',
      loaded: { compiled: compileConfig(config, codeVersion), warnings, sources: { files, patterns: includes } },
    };
  } catch (error) {
    if (error instanceof ConfigError) return { type: 'refused', diagnostics: error.diagnostics };
    return { type: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}
