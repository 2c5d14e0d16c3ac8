import { checkCustomApart } from '../control/check-custom-apart.ts';
import { loadConfig } from '../control/load-config.ts';
import { type Answer, Answers, type Question } from '../explain/answers.ts';
import { askRunningGateway } from './ask-running-gateway.ts';
import { describeFailure } from './describe-failure.ts';
import { EXIT_CODE, type ExitCode } from './exit-code.ts';
import { printFault } from './print-fault.ts';
import { isColoured } from './terminal.ts';

/** An answer that says something. */
type GoodAnswer = Exclude<Answer, { kind: 'refused' }>;

/**
 * Asks the configuration in a file, or, `live`, the gateway that serves it, whatever the file says by now. What went wrong is said on
 * standard error, and the exit code returned instead.
 */
export async function ask(configFile: string, question: Question, live: boolean): Promise<GoodAnswer | ExitCode> {
  try {
    const answer = live ? await askLive(configFile, question) : await askFile(configFile, question);
    return answer.kind === 'refused' ? refuse(answer.message) : answer;
  } catch (error) {
    process.stderr.write(`${describeFailure(error, configFile, { color: isColoured(process.stderr) })}\n`);
    return EXIT_CODE.failure;
  }
}

async function askFile(configFile: string, question: Question): Promise<Answer> {
  const { config } = await loadConfig(configFile, undefined, (each) => checkCustomApart(each, printFault));
  return new Answers(config).answer(question);
}

async function askLive(configFile: string, question: Question): Promise<Answer> {
  // Sound: the gateway answers with what `Answers` gives, over a socket that only its user can open.
  return (await askRunningGateway(configFile, { command: 'ask', question })) as Answer;
}

/** The command line asks something that makes no sense. */
export function refuse(message: string): ExitCode {
  process.stderr.write(`error: ${message}\n`);
  return EXIT_CODE.usage;
}
