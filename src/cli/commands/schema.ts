import { z } from 'zod';
import { documentSchema } from '../../config/schema.ts';
import { EXIT_CODE, type ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';

/** Prints the JSON Schema of the configuration file, for editors and other tools. */
export function schema(out: Terminal): ExitCode {
  const written = z.toJSONSchema(documentSchema([]), { io: 'input' });
  out.write(`${JSON.stringify({ title: 'Photon configuration', ...written }, null, 2)}\n`);
  return EXIT_CODE.ok;
}
