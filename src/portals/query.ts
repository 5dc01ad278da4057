import { Refusal } from '../core/reason.ts';
import { foldName } from './parameter-name.ts';
import type { Query } from './portal.ts';

export type ParsedForm =
  | { readonly ok: true; readonly params: Query }
  | {
      readonly ok: false;
      readonly reason: 'request_malformed' | 'request_parameter_duplicated';
      readonly detail: string;
    };

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL_IN_LINES = /[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]/;

/**
 * Reads application/x-www-form-urlencoded text: the query of an address without its `?`, or a posted form.
 *
 * Throws `Refusal` `request_parameter_duplicated` when any name stands twice, known or not, in whatever case or
 * encoding, `name[]` and `name[0]` counting as `name`; and `request_malformed` for a broken escape, bytes that
 * are not UTF-8, characters outside printable ASCII before decoding and control characters after it. Stricter
 * than the WHATWG parser, which repairs all of these: what is repaired is read differently by the next program.
 */
export function readQuery(text: string): Query {
  const parsed = parseForm(text);
  if (parsed.ok) return parsed.params;
  throw new Refusal(parsed.reason, parsed.detail);
}

/** Reads a posted form: as `readQuery`, but values may hold line breaks, as base64 of SAML often does. */
export function readForm(text: string): Query {
  const parsed = parseForm(text, CONTROL_IN_LINES);
  if (parsed.ok) return parsed.params;
  throw new Refusal(parsed.reason, parsed.detail);
}

/** The same as `readQuery`, answering instead of throwing. `refused`: characters that no value may hold. */
export function parseForm(text: string, refused = CONTROL): ParsedForm {
  if (!PRINTABLE_ASCII.test(text)) return malformed('a character that is not printable ASCII');
  const params = new Map<string, string>();
  const seen = new Set<string>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals), CONTROL);
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1), refused);
    if (name === undefined || value === undefined)
      return malformed('an escape that is broken or hides a control character');
    const folded = foldName(name);
    if (seen.has(folded)) return { ok: false, reason: 'request_parameter_duplicated', detail: folded.slice(0, 80) };
    seen.add(folded);
    params.set(name, value);
  }
  return { ok: true, params };
}

const malformed = (detail: string): ParsedForm => ({ ok: false, reason: 'request_malformed', detail });

/** `undefined` for a broken escape, bytes that are not UTF-8 (surrogates included), and control characters. */
function decode(text: string, refused: RegExp): string | undefined {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    const decoded = decodeURIComponent(spaced);
    return refused.test(decoded) ? undefined : decoded;
  } catch {
    return undefined;
  }
}
