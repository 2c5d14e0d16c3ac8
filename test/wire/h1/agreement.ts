import assert from 'node:assert/strict';
import { readReply, readRequests } from './our-reading.ts';
import { SecondOpinion } from './second-opinion.ts';
import { opinionOnReply } from './second-opinion-on-replies.ts';

/**
 * How a message fares with two parsers: both read the same in it, or one refuses it. What one refuses and the other reads is
 * each one's own strictness; what both read differently is how smuggling starts, and throws.
 */
export type Verdict = 'agreed' | 'refused by us' | 'refused by node:http';

const second = new SecondOpinion();

/**
 * What we take for requests has to be exactly those requests to node:http, with the same method, target, fields, content and
 * trailers, and the last byte that we take has to be the one that completes them.
 */
export async function agreeOnRequests(bytes: Buffer, cut: number): Promise<Verdict> {
  const ours = readRequests(bytes, cut);
  if (ours.requests.length === 0) return 'refused by us';
  const taken = bytes.subarray(0, ours.bytes);
  const { requests, beforeLastByte, refused } = await second.ask(taken);
  const agreed = refused ? ours.requests.slice(0, requests.length) : ours.requests;
  assert.deepEqual(requests, agreed, `the requests in ${shown(taken)}`);
  if (requests.length === 0) return 'refused by node:http';
  if (!refused) assert.equal(beforeLastByte, requests.length - 1, `requests before the last byte of ${shown(taken)}`);
  return 'agreed';
}

/** The same for the reply to a request of `method`. */
export async function agreeOnReply(method: string, bytes: Buffer, cut: number): Promise<Verdict> {
  const ours = readReply(method, bytes, cut);
  if (ours === null) return 'refused by us';
  const taken = bytes.subarray(0, ours.bytes);
  const theirs = await opinionOnReply(method, taken);
  if (theirs === null) return 'refused by node:http';
  assert.deepEqual(theirs, ours.reply, `the reply to ${method} in ${shown(taken)}`);
  return 'agreed';
}

const shown = (bytes: Buffer): string => JSON.stringify(bytes.toString('latin1'));
