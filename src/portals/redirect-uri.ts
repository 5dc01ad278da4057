/**
 * The judge of a return address. `redirect_uri` is attacker-controlled: whoever chooses it receives the token.
 * The judgement is pure and only ever says yes or no; an accepted address is used with its bytes unchanged.
 */
import type { Reason } from '../core/reason.ts';
import { decodeFully, foldName, isEncoded, possibleNames } from './parameter-name.ts';
import type { Query } from './portal.ts';
import { parseForm } from './query.ts';

/** An allowed return address: WHATWG origin, and a path in the one spelling that is accepted. */
export type PreparedAllow = {
  readonly origin: string;
  readonly path: string;
  /** Plain segments may follow the path, which ends in `/`. */
  readonly below?: true;
  /** The address as it is usually written, up to its query. */
  readonly prefix: string;
};

/** A query parameter of the return address that must stand there exactly once and have this value. */
export type PreparedPin = { readonly param: string; readonly folded: string; readonly value: string };

export type ReturnUrlVerdict =
  | { readonly ok: true; readonly params: Query }
  | { readonly ok: false; readonly reason: ReturnUrlReason; readonly detail: string };

type ReturnUrlReason = Extract<Reason, `redirect_uri_${string}`>;

/** Longest return address that is read, in characters. Our choice. */
export const LONGEST_RETURN_URL = 2_048;

/** The characters of RFC 3986 §2 without `#`; nothing else may stand in a URI, and browsers repair what does. */
const URI_CHARACTERS = /^[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]+$/;

/** scheme, authority without user info, path, query. */
const PLAIN_URL = /^https?:\/\/(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(\/[^?]*)?(?:\?(.*))?$/i;

/**
 * Judges the text of a return address (RFC 9700 §4.1.3: exact comparison; host and port as parsed URL, the path
 * byte for byte). Unknown parameters may stand in its query, once each.
 *
 * - `redirect_uri_malformed`: not an absolute http(s) URL of URI characters; user info, fragment, an escape in
 *   the path, a broken escape or a repeated name in the query; longer than 2,048 characters.
 * - `redirect_uri_not_listed`: scheme, host, port or path are not on the list.
 * - `redirect_uri_reserved_parameter`: some reader could find a reserved name in it.
 * - `redirect_uri_wrong_tenant`: a pinned parameter is absent, repeated in any spelling, or has another value.
 *
 * `reserved` holds names as `foldName` writes them. `detail` never repeats the query.
 */
export function judgeReturnUrl(
  text: string,
  allowed: readonly PreparedAllow[],
  reserved: ReadonlySet<string>,
  pins: readonly PreparedPin[],
): ReturnUrlVerdict {
  if (text.length > LONGEST_RETURN_URL) return no('redirect_uri_malformed', 'longer than 2,048 characters');
  return judgePlainly(text, allowed, reserved, pins) ?? judgeClosely(text, allowed, reserved, pins);
}

/** Plain names and values that every reader reads alike. */
const PLAIN_PAIR = /^([A-Za-z0-9_]+)=([A-Za-z0-9_.~-]*)$/;

/**
 * A yes for the address that portals send all day, and `undefined` wherever there is anything to think about:
 * never an answer that `judgeClosely` would not give.
 */
function judgePlainly(
  text: string,
  allowed: readonly PreparedAllow[],
  reserved: ReadonlySet<string>,
  pins: readonly PreparedPin[],
): ReturnUrlVerdict | undefined {
  const prefix = allowed.find((entry) => text.startsWith(entry.prefix))?.prefix;
  if (prefix === undefined) return undefined;
  const params = new Map<string, string>();
  const names = new Set<string>();
  for (const pair of text.slice(prefix.length).split('&')) {
    const [, name, value] = PLAIN_PAIR.exec(pair) ?? [];
    const folded = name?.toLowerCase();
    if (name === undefined || value === undefined || folded === undefined) return undefined;
    if (reserved.has(folded) || names.has(folded)) return undefined;
    names.add(folded);
    params.set(name, value);
  }
  return pins.every(({ param, value }) => params.get(param) === value) ? { ok: true, params } : undefined;
}

/** `judgeReturnUrl` for every address, however it is written. */
export function judgeClosely(
  text: string,
  allowed: readonly PreparedAllow[],
  reserved: ReadonlySet<string>,
  pins: readonly PreparedPin[],
): ReturnUrlVerdict {
  if (!URI_CHARACTERS.test(text)) return no('redirect_uri_malformed', 'a character that no URI has, or a fragment');
  const shape = PLAIN_URL.exec(text);
  const url = shape && URL.parse(text);
  if (!url) return no('redirect_uri_malformed', 'not an absolute http(s) URL, or one with user info');
  const path = shape[1] ?? '/';
  const query = shape[2] ?? '';
  if (path.includes('%')) return no('redirect_uri_malformed', 'an escape in the path');
  if (!allowed.some((entry) => entry.origin === url.origin && isAt(entry, path))) {
    return no('redirect_uri_not_listed', `${url.origin}${path}`.slice(0, 200));
  }
  return judgeQuery(query, reserved, pins);
}

/** Segments that every reader leaves as they are: no dots, nothing empty but the last. */
const PLAIN_SEGMENTS = /^(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*\/)*(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*)?$/;

const isAt = (entry: PreparedAllow, path: string): boolean =>
  entry.below ? path.startsWith(entry.path) && PLAIN_SEGMENTS.test(path.slice(entry.path.length)) : path === entry.path;

function judgeQuery(query: string, reserved: ReadonlySet<string>, pins: readonly PreparedPin[]): ReturnUrlVerdict {
  const decoded = decodeFully(query);
  if (isEncoded(decoded)) return no('redirect_uri_malformed', 'encoded more than eight times over');
  const names = possibleNames(decoded);
  for (const spellings of names) {
    const found = spellings.find((spelling) => reserved.has(spelling));
    if (found !== undefined) return no('redirect_uri_reserved_parameter', found);
  }
  for (const pin of pins) {
    const standing = names.filter((spellings) => spellings.includes(pin.folded)).length;
    if (standing !== 1) return no('redirect_uri_wrong_tenant', `${pin.param} stands ${standing} times`);
  }
  const parsed = parseForm(query);
  if (!parsed.ok) return no('redirect_uri_malformed', `${parsed.reason}: ${parsed.detail}`);
  const mismatch = pins.find((pin) => parsed.params.get(pin.param) !== pin.value);
  if (mismatch) return no('redirect_uri_wrong_tenant', `${mismatch.param} is not ${mismatch.value}`);
  return { ok: true, params: parsed.params };
}

const no = (reason: ReturnUrlReason, detail: string): ReturnUrlVerdict => ({ ok: false, reason, detail });

/**
 * Prepares an address of the preset or of the operator: https, or http on loopback, in the very spelling that
 * will be compared (no user info, query, fragment, escape or dot segment). `undefined` for anything else.
 */
export function prepareAllow(text: string): PreparedAllow | undefined {
  const shape = URI_CHARACTERS.test(text) ? PLAIN_URL.exec(text) : null;
  const url = shape && URL.parse(text);
  if (!url || text.includes('?')) return undefined;
  const path = shape[1] ?? '/';
  if (path.includes('%') || path !== url.pathname) return undefined;
  return url.protocol === 'https:' || isLoopback(url.hostname)
    ? { origin: url.origin, path, prefix: `${url.origin}${path}?` }
    : undefined;
}

export const preparePin = (param: string, value: string): PreparedPin => ({ param, folded: foldName(param), value });

/** The same for everything below a path. `undefined` also for one that could end inside a name. */
export function prepareAllowBelow(text: string): PreparedAllow | undefined {
  const prepared = prepareAllow(text);
  return prepared?.path.endsWith('/') ? { ...prepared, below: true } : undefined;
}

/** `hostname` of a WHATWG URL, so IPv4 addresses are in dotted form already. */
const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
