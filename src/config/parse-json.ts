import { type ConfigNode, MAX_DEPTH, type Path, scalarNode } from './config-node.ts';
import { errorAt, type Finding } from './finding.ts';
import { MappingBuilder } from './mapping-builder.ts';
import type { ParsedDocument } from './parsed-document.ts';

const BLANKS = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// RFC 8259 7: control characters do not stand in strings as they are.
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*"/y;
const LITERALS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

/** Ends the parsing at the first thing that is not JSON. */
class JsonFault extends Error {
  readonly finding: Finding;

  constructor(finding: Finding) {
    super(finding.message);
    this.finding = finding;
  }
}

/** Parses JSON as in RFC 8259, without comments and trailing commas. `JSON.parse` would lose the positions. */
export function parseJson(text: string): ParsedDocument {
  const reader = new JsonReader(text);
  try {
    return { root: reader.readDocument(), findings: reader.findings };
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    return { root: null, findings: [...reader.findings, error.finding] };
  }
}

class JsonReader {
  readonly findings: Finding[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readDocument(): ConfigNode {
    const root = this.#readValue([]);
    this.#skipBlanks();
    if (this.#at < this.#text.length) this.#fail('the end of the file');
    return root;
  }

  #readValue(path: Path): ConfigNode {
    this.#skipBlanks();
    const start = this.#at;
    if (path.length > MAX_DEPTH) this.#failAsTooDeep(path);
    if (this.#skip('{')) return this.#readObject(start, path);
    if (this.#skip('[')) return this.#readArray(start, path);
    if (this.#text[start] === '"') return scalarNode(this.#readString('a string'), { start, end: this.#at });
    for (const [literal, value] of LITERALS) {
      if (this.#skip(literal)) return scalarNode(value, { start, end: this.#at });
    }
    const digits = this.#match(NUMBER);
    if (digits === null) this.#fail('a value');
    return scalarNode(Number(digits), { start, end: this.#at });
  }

  #readObject(start: number, path: Path): ConfigNode {
    const mapping = new MappingBuilder(path, this.findings);
    this.#skipBlanks();
    if (this.#skip('}')) return mapping.build({ start, end: this.#at });
    do {
      this.#skipBlanks();
      const keyStart = this.#at;
      const key = this.#readString('a key in double quotes');
      const keySpan = { start: keyStart, end: this.#at };
      this.#skipBlanks();
      if (!this.#skip(':')) this.#fail('a colon after the key');
      mapping.add(key, keySpan, this.#readValue([...path, key]));
      this.#skipBlanks();
    } while (this.#skip(','));
    if (!this.#skip('}')) this.#fail('a comma or a closing brace');
    return mapping.build({ start, end: this.#at });
  }

  #readArray(start: number, path: Path): ConfigNode {
    const items: ConfigNode[] = [];
    this.#skipBlanks();
    if (this.#skip(']')) return { kind: 'list', span: { start, end: this.#at }, items };
    do {
      items.push(this.#readValue([...path, items.length]));
      this.#skipBlanks();
    } while (this.#skip(','));
    if (!this.#skip(']')) this.#fail('a comma or a closing bracket');
    return { kind: 'list', span: { start, end: this.#at }, items };
  }

  #readString(wanted: string): string {
    const literal = this.#match(STRING);
    if (literal === null)
      this.#fail(this.#text[this.#at] === '"' ? 'a string with valid escapes and a closing quote' : wanted);
    // Sound: the pattern above accepts exactly the strings of RFC 8259.
    return JSON.parse(literal) as string;
  }

  #skipBlanks(): void {
    this.#match(BLANKS);
  }

  #skip(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return null;
    this.#at += match[0].length;
    return match[0];
  }

  #fail(wanted: string): never {
    const span = { start: this.#at, end: this.#at + 1 };
    const found = this.#at >= this.#text.length ? 'the end of the file' : JSON.stringify(this.#text[this.#at]);
    const message = `Cannot read the JSON: want ${wanted}, got ${found}`;
    const help = /,\s*$/.test(this.#text.slice(0, this.#at)) ? 'take out the comma before it' : null;
    throw new JsonFault({ ...errorAt('syntax-error', span, [], message), wanted, found, help });
  }

  #failAsTooDeep(path: Path): never {
    const span = { start: this.#at, end: this.#at + 1 };
    throw new JsonFault(
      errorAt('too-complex', span, path.slice(0, 3), `Cannot read more than ${MAX_DEPTH} levels of nesting`),
    );
  }
}
