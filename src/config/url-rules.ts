import { loginUrls } from './login-urls.ts';
import { partyUrls } from './party-urls.ts';
import type { Path } from './problem.ts';
import { environmentsOf, portalsOf, type Survey } from './survey.ts';
import { type Asked, isPrivateHost, urlFault } from './url-fault.ts';

/** Every URL of the file that a browser or the router will follow. */
export function checkUrls(survey: Survey): void {
  const { draft, report, insecure } = survey;
  const check = (path: Path, url: string | undefined, asked: Asked = {}, http = insecure) => {
    const fault = url === undefined ? undefined : urlFault(url, http, asked);
    if (fault) report.fault(path, ...fault);
    return url !== undefined && !fault;
  };
  const checkReachable = (path: Path, url: string, allowed: true | undefined, where: string) => {
    if (allowed || !isPrivateHost(url)) return;
    const remedy = `Write allow_private: true in ${where} if the router shall really call its own network.`;
    report.fault(path, 'is a private or loopback address', remedy);
  };
  check(['public_url'], draft.public_url, { origin: true });
  for (const { path, entry } of portalsOf(survey)) {
    check([...path, 'home_url'], entry.home_url);
    for (const { at, url, asked, called } of partyUrls(entry.oidc)) {
      const place = [...path, 'oidc', ...at];
      if (check(place, url, asked) && called) checkReachable(place, url, entry.oidc?.allow_private, 'oidc');
    }
    for (const [index, url] of (entry.allow_redirects ?? []).entries()) {
      check([...path, 'allow_redirects', index], url, { noQuery: true });
    }
  }
  for (const { path, entry } of environmentsOf(survey)) {
    const { login, logout, proxy } = entry;
    check([...path, 'app_url'], entry.app_url);
    const back = logout?.back?.url;
    const backPath = [...path, 'logout', 'back', 'url'];
    if (check(backPath, back) && back !== undefined) checkReachable(backPath, back, login?.allow_private, 'login');
    const param = logout?.front?.return_param;
    check([...path, 'logout', 'front', 'url'], logout?.front?.url, param === undefined ? {} : { reserved: [param] });
    // The way there is the router's own network: plain http is the operator's to choose.
    check([...path, 'proxy', 'upstream'], proxy?.upstream, { origin: true }, true);
    if (!login) continue;
    for (const { at, url, asked, called } of loginUrls(login)) {
      const place = [...path, 'login', ...at];
      if (check(place, url, asked) && called) checkReachable(place, url, login.allow_private, 'login');
    }
  }
}
