import { Explainer } from '../../explain/explainer.ts';
import { type InquiryWords, parseInquiry } from '../../explain/inquiry.ts';
import { EXIT_CODE, type ExitCode } from '../exit-code.ts';
import { describeExplanation } from '../explanation-text.ts';
import { inspect } from '../inspect.ts';
import type { Terminal } from '../terminal.ts';

export interface ExplainOptions {
  readonly format: 'text' | 'json';
}

/** Says what the gateway would do with a request, and why. */
export function explain(configFile: string, words: InquiryWords, { format }: ExplainOptions, out: Terminal): ExitCode {
  let inquiry: ReturnType<typeof parseInquiry>;
  try {
    inquiry = parseInquiry(words);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    return EXIT_CODE.usage;
  }
  const config = inspect(configFile);
  if (config === null) return EXIT_CODE.failure;
  const explanation = new Explainer(config).explain(inquiry);
  out.write(format === 'json' ? `${JSON.stringify(explanation, null, 2)}\n` : describeExplanation(explanation, out));
  return EXIT_CODE.ok;
}
