/** Nesting that no claim needs. Arrays and objects both count. */
const MAX_DEPTH = 16;

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * JSON text → one plain object, or in words what is wrong with it. Stricter than `JSON.parse` where two readers
 * could understand the same text differently (RFC 8259 §4, RFC 7493 §2.1 and §2.3): no name twice in one
 * object at any level, no lone surrogates, no number that overflows, at most 16 levels.
 */
export function parseStrictObject(json: string): Readonly<Record<string, unknown>> | string {
  const members = countMembers(json);
  if (members === undefined) return 'nested too deeply';
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return 'not JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not a JSON object';
  if (countKeys(value) !== members) return 'a name that stands twice, a lone surrogate or an overflowing number';
  return value as Record<string, unknown>;
}

/** Members written in valid JSON text, over all levels: the colons outside strings. `undefined`: too deep. */
function countMembers(json: string): number | undefined {
  let members = 0;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = endOfString(json, at);
    else if (code === COLON) members++;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > MAX_DEPTH) return undefined;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
  }
  return members;
}

function endOfString(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at++;
  }
  return json.length;
}

/**
 * Keys of the parsed value, over all levels: fewer than were written when a later one overwrote an earlier one.
 * NaN, which equals no count, for text that is not well-formed Unicode and for numbers beyond a double's range.
 */
function countKeys(value: unknown): number {
  if (typeof value === 'string') return value.isWellFormed() ? 0 : Number.NaN;
  if (typeof value === 'number') return Number.isFinite(value) ? 0 : Number.NaN;
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countKeys(item);
    return count;
  }
  const members = value as Record<string, unknown>;
  for (const name of Object.keys(members)) {
    count += name.isWellFormed() ? 1 + countKeys(members[name]) : Number.NaN;
  }
  return count;
}
