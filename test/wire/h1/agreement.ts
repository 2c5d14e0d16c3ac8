import assert from 'node:assert/strict';
import { toBytes } from './decode.ts';
import { readReply, readRequests } from './our-reading.ts';
import { SecondOpinion } from './second-opinion.ts';
import { opinionOnReply } from './second-opinion-on-replies.ts';

/**
 * How a message fares with two parsers: both read the same in it, or one refuses it. What both read differently is how smuggling
 * starts, and throws; so does what we read and node:http refuses, unless it is listed below. What we refuse is our own strictness.
 */
export type Verdict = 'agreed' | 'refused by us' | 'refused by node:http';

/**
 * Where node:http is the stricter one. RFC 9112 7.1.1: a recipient ignores extensions that it does not know, and reads the blanks
 * before them. We know none, look only for where they end, and send none on. Without them the two have to agree.
 */
const ABOUT_EXTENSIONS: readonly string[] = [
  'Invalid character in chunk extensions',
  'Invalid character in chunk size',
];
/** And: an interim reply can say that the connection will end. To us it is over after the final one. */
const ABOUT_THE_END = 'Data after `Connection: close`';

const isAboutExtensions = (refusal: string): boolean => ABOUT_EXTENSIONS.some((reason) => refusal.startsWith(reason));

/** The same without chunk extensions that end as they must; null when there are none. */
function withoutExtensions(bytes: Buffer): Buffer | null {
  const text = bytes.toString('latin1');
  const without = text.replace(/^([0-9a-f]+)[ \t]*;[^\r\n]*\r\n/gim, '$1\r\n');
  return without === text ? null : toBytes(without);
}

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
  if (refusal !== null) {
    const without = isAboutExtensions(refusal) ? withoutExtensions(taken) : null;
    assert.ok(without !== null, `node:http refuses ${shown(taken)}: ${refusal}`);
    await agreeOnRequests(without, cut);
  }
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
    if (theirs.refusal === ABOUT_THE_END && ours.reply.informational.length > 0) return 'refused by node:http';
    const without = isAboutExtensions(theirs.refusal) ? withoutExtensions(taken) : null;
    assert.ok(without !== null, `node:http refuses ${shown(taken)} to ${method}: ${theirs.refusal}`);
    await agreeOnReply(method, without, cut);
    return 'refused by node:http';
  }
  assert.deepEqual(theirs, ours.reply, `the reply to ${method} in ${shown(taken)}`);
  return 'agreed';
}

const shown = (bytes: Buffer): string => JSON.stringify(bytes.toString('latin1'));
