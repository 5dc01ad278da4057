import type { Reason } from '../core/reason.ts';
import { MAX_TARGET } from './limits.ts';

/** RFC 3986 §3.3, and the characters that browsers leave as they are: no backslash, no control character, ASCII only. */
const PATH = /^\/[A-Za-z0-9._~!$&'()*+,;=:@%|[\]/-]*$/;
/** Everything visible but `#`: browsers escape little in a query (WHATWG URL, "special-query percent-encode set"). */
const QUERY = /^[!"$-~]*$/;

/** A second slash, and dot segments, also before a path parameter: `/..;/` is `/../` to some servers. */
const ODD = /\/\/|\/\.{1,2}(?:[;/]|$)/;
/** An escaped dot, slash or backslash. */
const DISGUISED = /%(?:2[ef]|5c)/i;
/** Of a path once decoded: what cannot be meant, and what would be an escape again. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNREADABLE = /[\x00-\x1f\x7f\\]|%[0-9a-f]{2}/i;

/** At and below it the router answers itself. */
const OURS = '/.wayhome';

/**
 * Why a request target is not passed on; `undefined` when it is, byte for byte. Only the origin-form (RFC 9112 §3.2.1)
 * in a spelling that every server reads alike gets through, so that the path which was compared with `paths` (see
 * `ProxySettings`) is the path that the environment serves.
 */
export function refuseTarget(target: string, paths: readonly string[]): Reason | undefined {
  if (target.length > MAX_TARGET) return 'request_too_long';
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  if (!PATH.test(path) || ODD.test(path) || (path.includes('%') && !readsAlike(path))) return 'request_malformed';
  if (mark !== -1 && !QUERY.test(target.slice(mark + 1))) return 'request_malformed';
  if (covers(OURS, path)) return 'address_unknown';
  return paths.some((prefix) => covers(prefix, path)) ? undefined : 'address_unknown';
}

const SLASH = 0x2f;

function covers(prefix: string, path: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return prefix.endsWith('/') || path.length === prefix.length || path.charCodeAt(prefix.length) === SLASH;
}

/** Whether the path has the same segments for a server that decodes it, and that folds look-alikes of `.` and `/` (NFKC). */
function readsAlike(path: string): boolean {
  if (DISGUISED.test(path)) return false;
  let read: string;
  try {
    // Broken escapes, and bytes that are not UTF-8 (overlong dots and slashes among them), throw.
    read = decodeURIComponent(path).normalize('NFKC');
  } catch {
    return false;
  }
  return !UNREADABLE.test(read) && !ODD.test(read) && read.split('/').length === path.split('/').length;
}
