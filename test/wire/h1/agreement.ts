import assert from 'node:assert/strict';
import { readReply, readRequests } from './our-reading.ts';
import { SecondOpinion } from './second-opinion.ts';
import { opinionOnReply } from './second-opinion-on-replies.ts';

/**
 * How a message fares with two parsers: both read the same in it, or one refuses it. What both read differently is how smuggling
 * starts, and throws; so does what we read and node:http refuses, unless it is listed below. What we refuse is our own strictness.
 */
export type Verdict = 'agreed' | 'refused by us' | 'refused by node:http';

/**
 * Where node:http is the stricter one. RFC 9112 7.1.1: a recipient ignores extensions that it does not know. We know none, look
 * only for where they end, and send none on; what could hide such an end (CR, LF, control bytes) is refused.
 */
const KNOWN_OF_REQUESTS: readonly string[] = ['Invalid character in chunk extensions'];
/** An interim reply can say that the connection will end: to us it is over after the final one. */
const KNOWN_OF_REPLIES: readonly string[] = [...KNOWN_OF_REQUESTS, 'Data after `Connection: close`'];

const isOneOf = (known: readonly string[], refusal: string): boolean =>
  known.some((reason) => refusal.startsWith(reason));

const second = new SecondOpinion();

/**
 * What we take for requests has to be exactly those requests to node:http, with the same method, target, fields, content and
 * trailers, and the last byte that we take has to be the one that completes them.
 */
export async function agreeOnRequests(bytes: Buffer, cut: number): Promise<Verdict> {
  const ours = readRequests(bytes, cut);
  if (ours.requests.length === 0) return 'refused by us';
  const taken = bytes.subarray(0, ours.bytes);
  const { requests, beforeLastByte, refusal } = await second.ask(taken);
  if (refusal !== null) assert.ok(isOneOf(KNOWN_OF_REQUESTS, refusal), `node:http refuses ${shown(taken)}: ${refusal}`);
  const agreed = refusal === null ? ours.requests : ours.requests.slice(0, requests.length);
  assert.deepEqual(requests, agreed, `the requests in ${shown(taken)}`);
  if (requests.length === 0) return 'refused by node:http';
  if (refusal === null) {
    assert.equal(beforeLastByte, requests.length - 1, `requests before the last byte of ${shown(taken)}`);
  }
  return 'agreed';
}

/** The same for the reply to a request of `method`. */
export async function agreeOnReply(method: string, bytes: Buffer, cut: number): Promise<Verdict> {
  const ours = readReply(method, bytes, cut);
  if (ours === null) return 'refused by us';
  const taken = bytes.subarray(0, ours.bytes);
  const theirs = await opinionOnReply(method, taken);
  if ('refusal' in theirs) {
    assert.ok(
      isOneOf(KNOWN_OF_REPLIES, theirs.refusal),
      `node:http refuses ${shown(taken)} to ${method}: ${theirs.refusal}`,
    );
    return 'refused by node:http';
  }
  assert.deepEqual(theirs, ours.reply, `the reply to ${method} in ${shown(taken)}`);
  return 'agreed';
}

const shown = (bytes: Buffer): string => JSON.stringify(bytes.toString('latin1'));
