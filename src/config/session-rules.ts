import type { Path } from './problem.ts';
import { registrableDomain } from './public-suffix.ts';
import { environmentsOf, type Survey } from './survey.ts';
import { isLoopback } from './url-fault.ts';

/**
 * The browser has to send the environment's cookie to the router, too: `public_url` and the login page are below one
 * registrable domain (RFC 6265 §5.3), or both on loopback. `session_url` is, too, since cookies are shown to nobody
 * else; with `allow_private` it may be any address of the router's own network.
 */
export function checkSessions(survey: Survey): void {
  const { draft, report } = survey;
  const router = hostOf(draft.public_url);
  if (router === undefined) return;
  for (const { path, entry } of environmentsOf(survey)) {
    const { login } = entry;
    if (login?.protocol !== 'session') continue;
    const check = (key: 'url' | 'session_url', whose: string) => {
      const host = hostOf(login[key]);
      const at: Path = [...path, 'login', key];
      if (host === undefined || shareCookies(router, host) || report.blamed(at)) return;
      report.fault(
        at,
        `shares no domain with public_url, ${whose}`,
        'Put both below one domain, or use another protocol.',
      );
    };
    check('url', 'so its cookies never reach the router');
    if (!login.allow_private) check('session_url', 'so these cookies are not its own');
    const host = hostOf(login.url);
    if (host === undefined || host === router) continue;
    for (const [index, cookie] of (login.cookies ?? []).entries()) {
      if (!cookie || !/^__host-/i.test(cookie)) continue;
      const remedy = 'The environment has to set it with a Domain, and so under another name.';
      report.fault([...path, 'login', 'cookies', index], 'a __Host- cookie never leaves its own host', remedy);
    }
  }
}

const hostOf = (url: string | undefined): string | undefined =>
  url !== undefined && URL.canParse(url) ? new URL(url).hostname : undefined;

function shareCookies(one: string, other: string): boolean {
  if (one === other || (isLoopback(one) && isLoopback(other))) return true;
  const domain = registrableDomain(one);
  return domain !== undefined && domain === registrableDomain(other);
}
