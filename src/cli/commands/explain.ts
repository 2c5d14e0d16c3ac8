import type { Question } from '../../explain/answers.ts';
import { type Inquiry, type InquiryWords, parseInquiry } from '../../explain/inquiry.ts';
import { ask, refuse } from '../ask.ts';
import { EXIT_CODE, type ExitCode } from '../exit-code.ts';
import { describeExplanation } from '../explanation-text.ts';
import type { Terminal } from '../terminal.ts';

export interface ExplainOptions {
  readonly format: 'text' | 'json';
  /** Ask the running gateway. */
  readonly live?: boolean;
}

/** Says what the gateway would do with a request, and why. */
export async function explain(
  configFile: string,
  words: InquiryWords,
  { format, live = false }: ExplainOptions,
  out: Terminal,
): Promise<ExitCode> {
  let inquiry: Inquiry;
  try {
    inquiry = parseInquiry(words);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return refuse(error.message);
  }
  const question: Question = { kind: 'explain', inquiry: { ...inquiry, fields: [...inquiry.fields] } };
  const answer = await ask(configFile, question, live);
  if (typeof answer === 'number') return answer;
  if (answer.kind !== 'explanation') throw new Error('the answer is to another question');
  const { explanation } = answer;
  out.write(format === 'json' ? `${JSON.stringify(explanation, null, 2)}\n` : describeExplanation(explanation, out));
  return EXIT_CODE.ok;
}
