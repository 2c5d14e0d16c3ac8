import fc from 'fast-check';
import type { Target } from '../../fuzz/target.ts';
import { agreeOnReply, agreeOnRequests, type Verdict } from './agreement.ts';
import { ordinaryHeads } from './corpus/ordinary-heads.ts';
import { VALID_REPLIES } from './corpus/replies.ts';
import { VALID_REQUESTS } from './corpus/requests.ts';
import { toBytes } from './decode.ts';
import { mutated } from './mutation.ts';

/** One character a byte. */
interface RequestsInput {
  readonly text: string;
  /** Where bodies are cut in two, as a fraction. */
  readonly cut: number;
}

interface ReplyInput extends RequestsInput {
  /** Of the request that it answers. */
  readonly method: string;
}

/** Evenly spread: fc.double would take every second number from next to 0. */
const cut = fc.nat({ max: 99 }).map((hundredths) => hundredths / 100);

/** Those that end with their head. */
const ORDINARY_REQUESTS = ordinaryHeads()
  .map(({ text }) => text)
  .filter((text) => !/^(?:content-length|transfer-encoding):/im.test(text));

/** Both have to be frequent: what both parsers read, for it has to mean the same, and what is too odd to be read. */
const SHARES = { agreed: 0.4, 'refused by us': 0.2 } satisfies Partial<Record<Verdict, number>>;

/** What we take for requests means the same to node:http. */
export const requests: Target<RequestsInput> = {
  name: 'requests',
  inputs: fc.record({
    text: fc.oneof(
      { weight: 5, arbitrary: mutated(VALID_REQUESTS.map(({ text }) => text)) },
      { weight: 1, arbitrary: mutated(ORDINARY_REQUESTS) },
    ),
    cut,
  }),
  examine: ({ text, cut }) => agreeOnRequests(toBytes(text), cut),
  runsInTests: 10_000,
  shares: SHARES,
};

const replyTo = (method: 'GET' | 'HEAD'): fc.Arbitrary<ReplyInput> =>
  fc.record({
    method: fc.constant(method),
    text: mutated(VALID_REPLIES.filter((reply) => reply.method === method).map(({ text }) => text)),
    cut,
  });

/** What we take for a reply means the same to node:http. */
export const replies: Target<ReplyInput> = {
  name: 'replies',
  inputs: fc.oneof({ weight: 4, arbitrary: replyTo('GET') }, { weight: 1, arbitrary: replyTo('HEAD') }),
  examine: ({ method, text, cut }) => agreeOnReply(method, toBytes(text), cut),
  runsInTests: 10_000,
  shares: SHARES,
};
