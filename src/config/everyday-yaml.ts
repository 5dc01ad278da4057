/**
 * The YAML that routes files are really made of, read in one pass: block mappings and lists, `{ }` and `[ ]` on one
 * line, plain and quoted words on one line, comments. Twenty times as fast as the library and a fraction of its
 * memory, which is what ten thousand environments need.
 *
 * It knows no faults: whatever it does not expect (escapes, anchors, tags, tabs, several documents, an equal key, a
 * bracket too few) it leaves to the library, whole, by answering `undefined`. For what it does read it agrees with
 * the library about every value and every position (YAML 1.2.2, core schema §10.3.2); a differential test holds it
 * to that.
 */
import { type Mapping, newMapping } from './mapping.ts';
import type { Mark } from './places.ts';

/** `start` is the offset of the tree in the text. */
type Everyday = { readonly tree: unknown; readonly start: number };

/** The tree, as plain-tree.ts would make it; `undefined` when any of the text is of another kind. */
export function readEverydayYaml(text: string, mark: Mark = () => {}): Everyday | undefined {
  if (ELSEWHERE.test(text)) return undefined;
  try {
    return new Reader(text, mark).document();
  } catch (error) {
    if (error === UNUSUAL) return undefined;
    throw error;
  }
}

const UNUSUAL = Symbol('unusual');

/** Tabs, carriage returns, other control characters, and the marks that some readers take for line breaks. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const ELSEWHERE = /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/;
/** routes.yaml needs 8. */
const DEEPEST = 16;

const KEY = /([A-Za-z0-9_][\w.-]{0,99}):(?=[ \n]|$)/y;
const DOUBLE_QUOTED = /"([^"\\\n]*)"/y;
const SINGLE_QUOTED = /'([^'\n]*)'(?!')/y;
/** Unquoted text that starts with nothing that has a meaning of its own (YAML 1.2.2 §7.3.3), to the end of the line. */
const PLAIN = /[\w./~+$\xa1-\uffff][^\n]*/y;
/** The same between brackets, where `,` and brackets end it. */
const PLAIN_IN_FLOW = /[\w./~+$\xa1-\uffff](?:[^\n,[\]{}:#]|:(?![ \n,[\]{}]|$)|(?<! )#)*/y;

const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ...['~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
]);
const COUNT = /^(?:0|[1-9][0-9]{0,14})$/;
/** Every other number of the core schema: left to the library. */
const NUMBER = /^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:e[-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-f]+|[-+]?\.inf|\.nan)$/i;

class Reader {
  readonly #text: string;
  readonly #mark: Mark;
  #at = 0;
  /** Spaces before the content that `#at` stands at; -1 at the end of the text. */
  #indent = 0;

  constructor(text: string, mark: Mark) {
    this.#text = text;
    this.#mark = mark;
  }

  document(): Everyday {
    this.#toContent();
    if (this.#indent !== 0) throw UNUSUAL;
    const start = this.#at;
    const tree = this.#mapping(0, 0);
    if (!this.#ended()) throw UNUSUAL;
    return { tree, start };
  }

  /** From the start of a line to the next line that holds anything but a comment. */
  #toContent(): void {
    const text = this.#text;
    let at = this.#at;
    for (;;) {
      const start = at;
      while (text.charCodeAt(at) === SPACE) at++;
      const code = text.charCodeAt(at);
      if (code === HASH) at = text.indexOf('\n', at);
      else if (code !== NEWLINE) {
        this.#at = at;
        this.#indent = at < text.length ? at - start : -1;
        return;
      }
      at = at === -1 ? text.length : at + 1;
    }
  }

  /** From behind a value to the next content; there may be a comment between. */
  #endLine(): void {
    this.#skipSpaces();
    if (!this.#atLineEnd()) throw UNUSUAL;
    const next = this.#text.indexOf('\n', this.#at);
    this.#at = next === -1 ? this.#text.length : next + 1;
    this.#toContent();
  }

  #mapping(indent: number, depth: number): Mapping {
    if (depth > DEEPEST) throw UNUSUAL;
    const mapping = newMapping();
    do {
      const key = this.#at;
      const name = this.#key(mapping);
      this.#skipSpaces();
      let value = this.#at;
      if (this.#atLineEnd()) {
        this.#endLine();
        const below = this.#indent > indent || (this.#indent === indent && this.#atDash());
        value = below ? this.#at : key;
        mapping[name] = below ? this.#block(this.#indent, depth) : null;
      } else mapping[name] = this.#inline(depth);
      this.#mark(mapping, name, key, value);
      if (this.#indent > indent) throw UNUSUAL;
    } while (this.#indent === indent && !this.#atDash());
    return mapping;
  }

  #list(indent: number, depth: number): unknown[] {
    if (depth > DEEPEST) throw UNUSUAL;
    const list: unknown[] = [];
    do {
      const lineStart = this.#at - indent;
      this.#at++;
      this.#skipSpaces();
      const at = this.#at;
      const column = at - lineStart;
      if (this.#atLineEnd() || this.#atDash()) throw UNUSUAL;
      const item = this.#match(KEY, false) ? this.#mapping(column, depth + 1) : this.#inline(depth);
      this.#mark(list, list.length, at, at);
      list.push(item);
      if (this.#indent > indent) throw UNUSUAL;
    } while (this.#indent === indent && this.#atDash());
    return list;
  }

  #block(indent: number, depth: number): unknown {
    return this.#atDash() ? this.#list(indent, depth + 1) : this.#mapping(indent, depth + 1);
  }

  /** A value that ends with its line; goes on to the next content. */
  #inline(depth: number): unknown {
    const value = this.#bracketed(depth) ?? this.#quoted() ?? this.#plain();
    this.#endLine();
    return value === NOTHING ? null : value;
  }

  #plain(): unknown {
    const [line] = this.#match(PLAIN) ?? [];
    if (line === undefined) throw UNUSUAL;
    const comment = line.indexOf(' #');
    const word = (comment === -1 ? line : line.slice(0, comment)).trimEnd();
    this.#at -= line.length - word.length;
    if (word.includes(': ') || word.endsWith(':')) throw UNUSUAL;
    return scalarOf(word);
  }

  #quoted(): string | undefined {
    const code = this.#text.charCodeAt(this.#at);
    if (code !== DOUBLE_QUOTE && code !== SINGLE_QUOTE) return undefined;
    const [, word] = this.#match(code === DOUBLE_QUOTE ? DOUBLE_QUOTED : SINGLE_QUOTED) ?? [];
    if (word === undefined) throw UNUSUAL;
    return word;
  }

  #bracketed(depth: number): object | undefined {
    const code = this.#text.charCodeAt(this.#at);
    if (code !== OPEN_LIST && code !== OPEN_MAPPING) return undefined;
    if (depth > DEEPEST) throw UNUSUAL;
    this.#at++;
    return code === OPEN_LIST ? this.#flowList(depth) : this.#flowMapping(depth);
  }

  #flowList(depth: number): unknown[] {
    const list: unknown[] = [];
    while (!this.#closes(CLOSE_LIST)) {
      const at = this.#at;
      const item = this.#flowValue(depth);
      this.#mark(list, list.length, at, at);
      list.push(item);
      this.#separates(CLOSE_LIST);
    }
    return list;
  }

  #flowMapping(depth: number): Mapping {
    const mapping = newMapping();
    while (!this.#closes(CLOSE_MAPPING)) {
      const key = this.#at;
      const name = this.#key(mapping);
      this.#skipSpaces();
      const value = this.#at;
      mapping[name] = this.#flowValue(depth);
      this.#mark(mapping, name, key, value);
      this.#separates(CLOSE_MAPPING);
    }
    return mapping;
  }

  #flowValue(depth: number): unknown {
    const value = this.#bracketed(depth + 1) ?? this.#quoted();
    if (value !== undefined) return value;
    const [word] = this.#match(PLAIN_IN_FLOW) ?? [];
    if (word === undefined) throw UNUSUAL;
    const found = scalarOf(word.trimEnd());
    return found === NOTHING ? null : found;
  }

  /** Whether the bracket that closes is next; takes it. */
  #closes(code: number): boolean {
    this.#skipSpaces();
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at++;
    return true;
  }

  /** A comma is taken, the closing bracket is left. */
  #separates(close: number): void {
    this.#skipSpaces();
    const code = this.#text.charCodeAt(this.#at);
    if (code === COMMA) this.#at++;
    else if (code !== close) throw UNUSUAL;
  }

  #key(mapping: Readonly<Mapping>): string {
    const [, name] = this.#match(KEY) ?? [];
    if (name === undefined || name === '__proto__' || mapping[name] !== undefined) throw UNUSUAL;
    return name;
  }

  #match(pattern: RegExp, take = true): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found && take) this.#at = pattern.lastIndex;
    return found;
  }

  #skipSpaces(): void {
    while (this.#text.charCodeAt(this.#at) === SPACE) this.#at++;
  }

  #ended(): boolean {
    return this.#indent === -1;
  }

  /** Nothing but a comment follows; that has to stand apart. */
  #atLineEnd(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    if (code === HASH) return this.#text.charCodeAt(this.#at - 1) === SPACE;
    return Number.isNaN(code) || code === NEWLINE;
  }

  #atDash(): boolean {
    if (this.#text.charCodeAt(this.#at) !== DASH) return false;
    const next = this.#text.charCodeAt(this.#at + 1);
    return next === SPACE || next === NEWLINE || Number.isNaN(next);
  }
}

/** Stands for `null` where `undefined` and `null` mean that there is no such thing. */
const NOTHING = Symbol('nothing');

function scalarOf(word: string): unknown {
  const known = WORDS.get(word);
  if (known !== undefined) return known ?? NOTHING;
  if (COUNT.test(word)) return Number(word);
  if (NUMBER.test(word)) throw UNUSUAL;
  return word;
}

const [NEWLINE, SPACE, HASH, DASH, COMMA] = [0x0a, 0x20, 0x23, 0x2d, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_MAPPING, CLOSE_MAPPING] = [0x5b, 0x5d, 0x7b, 0x7d];
const [DOUBLE_QUOTE, SINGLE_QUOTE] = [0x22, 0x27];
