import { Refusal } from '../core/reason.ts';
import type { PreparedAllow } from './redirect-uri.ts';
import { relativeFault } from './relative-url.ts';

/**
 * Judges an absolute address that only travels along: no token is sent there, but the portal follows it with a fresh
 * session. It begins, byte for byte, with a listed origin; what follows is judged as an address within that site is,
 * so it may hold the escapes and fragments of a deep link that a return address for tokens may not.
 *
 * Throws `Refusal`: `redirect_uri_not_listed`, or `request_malformed` for what is wrong behind the origin.
 */
export function judgeEchoed(name: string, text: string, allowed: readonly PreparedAllow[]): void {
  const site = allowed.find((entry) => isOn(entry, text));
  if (!site) throw new Refusal('redirect_uri_not_listed', `${name}: ${text.slice(0, 200).replace(/[?#].*$/s, '')}`);
  const fault = relativeFault(withinSite(site, text), 'relative');
  if (fault !== undefined) throw new Refusal('request_malformed', `${name}: ${fault}`);
}

function isOn(entry: PreparedAllow, text: string): boolean {
  if (!text.startsWith(entry.origin) || !/^(?:$|[/?#])/.test(text.slice(entry.origin.length))) return false;
  const [path = ''] = withinSite(entry, text).split(/[?#]/, 1);
  return entry.below ? path.startsWith(entry.path) : path === entry.path;
}

/** From the first `/` on, which browsers put there where it is left out (`https://portal.test?a=b`). */
const withinSite = ({ origin }: PreparedAllow, text: string): string => {
  const rest = text.slice(origin.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
};
