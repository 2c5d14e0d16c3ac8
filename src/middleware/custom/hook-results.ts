import type { FieldPair } from '../../base/field-group.ts';
import { isToken } from '../../http/characters.ts';
import { dropName } from '../../http/field-drops.ts';
import { isConnectionField } from '../../http/hop-by-hop.ts';
import { OWN_ANSWER_FIELDS } from '../../http/own-fields.ts';
import type { Answer } from '../../pipeline/middleware.ts';
import type { CustomHooks } from './define-middleware.ts';

/*
 * What the code of users gives back, of which the compiler may never have seen anything. Whatever is not as it should be is an error: a hook
 * that means to refuse a request, and says so in another way than the gateway understands, must not let it pass.
 */

const HOOKS: readonly string[] = ['onRequest', 'onResponse', 'onFinish'] satisfies (keyof CustomHooks)[];
const REPLY_KEYS: readonly string[] = ['status', 'headers', 'body'];

/** What `create` has made. Throws a TypeError when that cannot be used as hooks. */
export function hooksOf(made: unknown): CustomHooks {
  if (typeof made !== 'object' || made === null || Array.isArray(made) || isThenable(made)) {
    throw new TypeError(`Cannot use what create returned: want an object with hooks, got ${kindOf(made)}`);
  }
  for (const name of HOOKS) {
    const hook: unknown = Reflect.get(made, name);
    if (hook === undefined || typeof hook === 'function') continue;
    throw new TypeError(`Cannot use ${name}: want a function, got ${kindOf(hook)}`);
  }
  for (const name of Object.keys(made)) {
    if (!/^on[A-Z]/.test(name) || HOOKS.includes(name)) continue;
    throw new TypeError(`Cannot use ${name}: there are the hooks ${HOOKS.join(', ')}`);
  }
  return made;
}

/** Somebody has to wait for the value. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  const mayBe = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return mayBe && 'then' in value && typeof value.then === 'function';
}

/** What `onRequest` has returned, and what a promise of it was fulfilled with. Throws a TypeError for what is no reply, or cannot be sent. */
export function answerOf(returned: unknown): Answer | undefined {
  if (returned === undefined) return undefined;
  const { status = 200, headers = {}, body = '' } = replyOf(returned);
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599) {
    throw new TypeError(`Cannot reply with this status: want a number from 200 to 599, got ${shown(status)}`);
  }
  if (typeof body !== 'string') throw new TypeError(`Cannot reply with this body: want a text, got ${kindOf(body)}`);
  if (!isPlainObject(headers)) {
    throw new TypeError(`Cannot reply with these headers: want an object of names and texts, got ${kindOf(headers)}`);
  }
  const fields = Object.entries(headers).map(([name, value]) => fieldOf(name, value));
  requireOnce(Object.keys(headers));
  return { status, fields, body: Buffer.from(body, 'utf8').toString('latin1') };
}

/** The same for `onResponse`, which has nothing to return: a reply in the place of the one that it is shown is none that goes out. */
export function requireNothing(returned: unknown): void {
  if (returned === undefined) return;
  throw new TypeError(
    `Cannot use what onResponse returned: want nothing, or a promise of nothing, got ${kindOf(returned)}`,
  );
}

function replyOf(returned: unknown): Readonly<Record<string, unknown>> {
  const keys = isPlainObject(returned) ? Object.keys(returned) : [];
  const unknown = keys.find((key) => !REPLY_KEYS.includes(key));
  if (isPlainObject(returned) && keys.length > 0 && unknown === undefined) return returned;
  const got = unknown === undefined ? kindOf(returned) : `an object with ${JSON.stringify(unknown)}`;
  throw new TypeError(
    `Cannot use what onRequest returned: want nothing, an object {status, headers, body}, or a promise of either, got ${got}`,
  );
}

/** RFC 9110 5.3: there may be several fields only where they are a list. Set-Cookie has none, and several of it (RFC 6265 3). */
function requireOnce(names: readonly string[]): void {
  const known = new Set<string>();
  for (const name of names.map(dropName)) {
    if (OWN_ANSWER_FIELDS.has(name)) throw new TypeError(`Cannot reply with the header ${name}: the gateway writes it`);
    if (known.has(name) && name !== 'set-cookie') throw new TypeError(`Cannot reply with the header ${name} twice`);
    known.add(name);
  }
}

function fieldOf(name: string, value: unknown): FieldPair {
  if (!isToken(name) || isConnectionField(name))
    throw new TypeError(`Cannot reply with the header ${JSON.stringify(name)}`);
  if (typeof value !== 'string' || !/^[\t\x20-\x7e]*$/.test(value))
    throw new TypeError(`Cannot reply with this value of ${name}: want printable ASCII`);
  return [name, value];
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** What a value is, and nothing of what it says: that may be a secret. */
function kindOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : `a value of type ${typeof value}`;
  if (isThenable(value)) return 'a promise';
  if (isPlainObject(value)) return Object.keys(value).length === 0 ? 'an empty object' : 'an object';
  return `an object of ${value.constructor?.name || 'a class without a name'}`;
}

const shown = (value: unknown): string => (typeof value === 'number' ? String(value) : kindOf(value));
