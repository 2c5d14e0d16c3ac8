/** Values by the name of their member. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What is nested deeper is made to hurt. */
const MAX_DEPTH = 32;

/** Strict; a byte order mark is left in, where JSON has none. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** In text that is JSON: whole strings, and what begins, ends and parts. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

/**
 * The object that `bytes` are the JSON text of, or null. RFC 7519 4 lets a reader of two members of one name take the last one or
 * refuse. We refuse: the upstream that reads the token again may take the other one.
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject | null {
  try {
    const text = UTF8.decode(bytes);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    // Sound: it is an object, and what its members are is not said.
    return isPlain(text) ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}

/** Whether JSON text is not nested too deeply, and no object in it has two members of one name. */
function isPlain(text: string): boolean {
  const open: Set<string>[] = [];
  let string = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (token !== ':') string = token;
    else if (!isNew(string, open.at(-1))) return false;
    if (open.length > MAX_DEPTH) return false;
  }
  return true;
}

/** `"a"` and `"\u0061"` are one name. */
function isNew(written: string, names: Set<string> | undefined): boolean {
  // Sound: it is a string of text that is JSON.
  const name = JSON.parse(written) as string;
  if (names === undefined || names.has(name)) return false;
  names.add(name);
  return true;
}

/** A member of the object itself: `constructor` and the like, which every object inherits, are none. */
export function memberOf(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
