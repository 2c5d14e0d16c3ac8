import { type Inquiry, type InquiryWords, parseInquiry } from '../../explain/inquiry.ts';
import { ask, refuse } from '../ask.ts';
import { EXIT_CODE, type ExitCode } from '../exit-code.ts';
import { describeExplanation } from '../explanation-text.ts';
import type { Terminal } from '../terminal.ts';

export interface ExplainOptions {
  readonly format: 'text' | 'json';
}

/** Says what the gateway would do with a request, and why. */
export async function explain(
  configFile: string,
  words: InquiryWords,
  { format }: ExplainOptions,
  out: Terminal,
): Promise<ExitCode> {
  let inquiry: Inquiry;
  try {
    inquiry = parseInquiry(words);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return refuse(error.message);
  }
  const answer = await ask(configFile, { kind: 'explain', inquiry: { ...inquiry, fields: [...inquiry.fields] } });
  if (typeof answer === 'number') return answer;
  if (answer.kind !== 'explanation') throw new Error('the answer is to another question');
  const { explanation } = answer;
  out.write(format === 'json' ? `${JSON.stringify(explanation, null, 2)}\n` : describeExplanation(explanation, out));
  return EXIT_CODE.ok;
}
