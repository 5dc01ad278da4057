/**
 * The judge of addresses within the portal's own site (RFC 3986 §4.2, absolute-path references). Nothing is sent
 * there by the router itself, but the portal follows them with a fresh session; `//evil.test`, in whatever spelling,
 * would turn its callback into an open redirect.
 */
import { decodeFully, isEncoded } from './parameter-name.ts';

// Everything but white space, backslashes, and what is invisible (controls, formats, surrogates, private use).
const VISIBLE = /^[^\s\\\p{C}]*$/u;
const CONTROL = /\p{Cc}/u;
const BROKEN_ESCAPE = /%(?![0-9a-f]{2})/i;

/**
 * Why a text is no path of one site, or `undefined` when it is. `relative` begins with one `/` and may have a query
 * and a fragment; `path` has neither, and its first `/` may be left out. However often it is decoded, and in
 * whatever compatibility form, there is no backslash, no control character, no empty segment but the last and no
 * dot segment in the path.
 */
export function relativeFault(text: string, kind: 'relative' | 'path'): string | undefined {
  if (!VISIBLE.test(text)) return 'a character that no address has';
  const end = text.search(/[?#]/);
  if (kind === 'path' && end !== -1) return 'a query or a fragment';
  const path = end === -1 ? text : text.slice(0, end);
  if (kind === 'relative' && !path.startsWith('/')) return 'does not begin with /';
  if (!path.startsWith('/') && path.split('/', 1)[0]?.includes(':')) return 'a scheme';
  if (BROKEN_ESCAPE.test(path)) return 'a broken escape';
  const decoded = decodeFully(text);
  if (isEncoded(decoded)) return 'encoded more than eight times over';
  if (CONTROL.test(decoded)) return 'an encoded control character';
  return pathFault(decodeFully(path).normalize('NFKC'));
}

function pathFault(decoded: string): string | undefined {
  if (decoded.includes('\\')) return 'an encoded backslash';
  const segments = decoded.replace(/^\//, '').split('/');
  if (segments.slice(0, -1).includes('')) return 'two slashes in a row';
  // Some servers cut a segment's parameters off before they look at its dots.
  return segments.some((segment) => /^\.{1,2}(?:;|$)/.test(segment)) ? 'a dot segment' : undefined;
}

/** Puts a path of kind `path`, judged before, behind that of a URL, with one slash between them. */
export function appendPath(url: string, path: string): string {
  // What is an escape already stays one.
  const written = encodeURI(path.replace(/^\//, '')).replaceAll('%25', '%');
  return `${url.replace(/\/$/, '')}/${written}`;
}
