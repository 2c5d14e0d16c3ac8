import { loadConfig } from '../control/load-config.ts';
import { type Answer, Answers, type Question } from '../explain/answers.ts';
import { describeFailure } from './describe-failure.ts';
import { EXIT_CODE, type ExitCode } from './exit-code.ts';

/** An answer that says something. */
type GoodAnswer = Exclude<Answer, { kind: 'refused' }>;

/** Asks the configuration in a file. What went wrong is said on standard error, and the exit code returned instead. */
export async function ask(configFile: string, question: Question): Promise<GoodAnswer | ExitCode> {
  try {
    const { config } = await loadConfig(configFile);
    const answer = new Answers(config).answer(question);
    return answer.kind === 'refused' ? refuse(answer.message) : answer;
  } catch (error) {
    process.stderr.write(`${describeFailure(error, configFile)}\n`);
    return EXIT_CODE.failure;
  }
}

/** The command line asks something that makes no sense. */
export function refuse(message: string): ExitCode {
  process.stderr.write(`error: ${message}\n`);
  return EXIT_CODE.usage;
}
