import { thrownText } from '../base/thrown-text.ts';

/** Commands that look at a configuration load its middleware. What that starts then, and fails, fails in a gateway too, which goes on. */
export function printFault(name: string, error: unknown): void {
  const text = typeof error === 'string' ? error : thrownText(error);
  process.stderr.write(`The middleware "${name}" fails outside of its hooks: ${text}\n`);
}
