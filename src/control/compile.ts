import { ConfigError } from '../config/diagnostic.ts';
import { compileConfig } from '../pipeline/compiled-config.ts';
import type { ReportLoading } from './check-custom.ts';
import type { CompileAnswer } from './compiler.ts';
import { loadStartableConfig } from './load-config.ts';

/** Never rejects: what is wrong with the file is the answer. */
export async function compile(file: string, loading: ReportLoading): Promise<CompileAnswer> {
  try {
    const { config, codeVersion, warnings, files, includes } = await loadStartableConfig(file, loading);
    return {
      type: 'compiled',
      loaded: { compiled: compileConfig(config, codeVersion), warnings, sources: { files, patterns: includes } },
    };
  } catch (error) {
    if (error instanceof ConfigError) return { type: 'refused', diagnostics: error.diagnostics };
    return { type: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}
