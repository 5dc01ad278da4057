import type { Browser } from '../delegate.ts';

/**
 * Characters of a value that is passed on: those that browsers send (RFC 6265 §4.1.1, and what they let through
 * beyond it). A `;` would begin another cookie, a control character perhaps another header.
 */
const PASSED_ON = /^[\x20-\x3a\x3c-\x7e\x80-\xff]*$/;

/**
 * The `Cookie` header (RFC 6265 §4.2.1) that holds the browser's cookies of these names and no other, their values as
 * they came; several of one name stay in their order, which tells the more specific path first (§5.4). `undefined`
 * where the browser has none of them.
 */
export function cookieHeader(browser: Browser, names: readonly string[]): string | undefined {
  const pairs = names.flatMap((name) =>
    browser
      .cookies(name)
      .filter((value) => PASSED_ON.test(value))
      .map((value) => `${name}=${value}`),
  );
  return pairs.length === 0 ? undefined : pairs.join('; ');
}
