import { configJsonSchema } from '../../config/json-schema.ts';
import { EXIT_CODE, type ExitCode } from '../exit-code.ts';

/** Prints the JSON Schema of the configuration; a reader that goes away early has seen enough. */
export function schema(): Promise<ExitCode> {
  const text = `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
  const { promise, resolve } = Promise.withResolvers<ExitCode>();
  process.stdout.once('error', () => resolve(EXIT_CODE.ok));
  process.stdout.write(text, () => resolve(EXIT_CODE.ok));
  return promise;
}
