import type { Link } from '../net/link.ts';
import type { ExchangeRecord } from '../records.ts';
import type { Run } from '../run.ts';
import { rests } from '../scenario/scenario.ts';
import { checkAccessLog } from './access-log.ts';
import { Availability } from './availability.ts';
import { checkBreakers } from './breakers.ts';
import { checkAttempts, checkReplyContent } from './content.ts';
import { checkDuties } from './duties.ts';
import { expect, type Outcome, outcomeOf } from './expectation.ts';
import { isBehindSurplus } from './surplus.ts';

/** What a run was like as a whole. */
export interface Judgement {
  readonly exchanges: number;
  /** How many of them had exactly one allowed outcome. */
  readonly certain: number;
  readonly outcomes: ReadonlyMap<string, number>;
}

/** Judges a run: what must not be is written into its findings. */
export function judge(run: Run): Judgement {
  const availability = new Availability(run);
  const outcomes = new Map<string, number>();
  let exchanges = 0;
  let certain = 0;
  for (const exchange of run.records.exchanges.values()) {
    exchanges++;
    const outcome = outcomeOf(exchange);
    outcomes.set(String(outcome), (outcomes.get(String(outcome)) ?? 0) + 1);
    checkReplyContent(run, exchange);
    checkAttempts(run, exchange);
    if (checkOutcome(run, exchange, outcome, availability)) certain++;
    checkHooks(run, exchange);
    checkDuties(run, exchange);
  }
  checkBreakers(run, availability);
  checkRest(run);
  checkAccessLog(run);
  return { exchanges, certain, outcomes };
}

/** Returns whether there was one allowed outcome only. */
function checkOutcome(run: Run, exchange: ExchangeRecord, outcome: Outcome, availability: Availability): boolean {
  const { script } = exchange;
  const expectation = expect(run, exchange, availability);
  if (expectation.nothingUpstream && run.records.attemptsOf(script.tag).length > 0) {
    run.records.find('sent all the same', `${script.tag} went upstream, although it was refused`);
  }
  if (!expectation.causes.has(outcome)) {
    const allowed = [...expectation.causes].map(([each, why]) => `${each} (${why})`).join(', ') || 'nothing';
    run.records.find('no cause', `${script.tag} ${script.method}: ${outcome}, where ${allowed} is allowed`);
  }
  return expectation.causes.size <= 1;
}

/** Whoever saw a request sees its end, once. */
function checkHooks({ records, hookLog, controls }: Run, exchange: ExchangeRecord): void {
  const { tag } = exchange.script;
  if (controls.some(({ script }) => script.what === 'die')) return;
  for (const hook of [0, 1]) {
    const entered = hookLog.entered.filter((each) => each.tag === tag && each.hook === hook);
    const finished = hookLog.finished.get(`${tag}/${hook}`) ?? 0;
    const began = entered.filter(({ side }) => side === 'request').length;
    if (began > 1) records.find('hooks', `the hook ${hook} saw ${tag} ${began} times`);
    if (entered.filter(({ side }) => side === 'response').length > 1) {
      records.find('hooks', `the hook ${hook} saw the reply to ${tag} more than once`);
    }
    if (finished !== began)
      records.find('hooks', `the hook ${hook} saw ${began} beginnings and ${finished} ends of ${tag}`);
  }
}

/** After rest nothing is held. */
function checkRest(run: Run): void {
  const { records, network, holdings } = run;
  const open = network.links.filter(
    ({ closedMs, gatewayEnd }) => closedMs === Number.POSITIVE_INFINITY && gatewayEnd !== null,
  );
  const idle = rests(run.scenario) ? [] : open.filter((link) => isIdle(run, link));
  for (const link of open)
    if (!idle.includes(link)) records.find('held', `connection ${link.number} with ${link.peer}`);
  for (const [name, count] of Object.entries(holdings)) {
    if (count !== 0 && !(idle.length > 0 && IDLE_HOLDINGS.test(name))) records.find('held', `${count} ${name}`);
  }
}

/** What idle connections to upstreams are counted in. */
const IDLE_HOLDINGS = /^(sockets counted|sockets of |idle at )/;

/** A connection to an upstream whose last exchange ended well. */
function isIdle(run: Run, link: Link): boolean {
  const { records, scenario } = run;
  const last = records.attempts.filter((attempt) => attempt.link === link).at(-1);
  return (
    scenario.upstreams.some(({ address }) => address === link.peer) &&
    (last === undefined || Number.isFinite(link.readMs(last.replyEnd)) || isBehindSurplus(run, last))
  );
}
