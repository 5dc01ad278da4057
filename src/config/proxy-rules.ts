import { loginUrls } from './login-urls.ts';
import { type Path, quoted } from './problem.ts';
import { isPublicName } from './public-suffix.ts';
import type { EnvironmentDraft } from './schema.ts';
import { environmentsOf, type Survey } from './survey.ts';
import { isPrivateHost } from './url-fault.ts';

type ProxyDraft = NonNullable<EnvironmentDraft['proxy']>;

/** Each host is one environment's own, leads nowhere else than to it, and is passed on as far as its login needs. */
export function checkProxies(survey: Survey): void {
  const { draft, report } = survey;
  const router =
    draft.public_url !== undefined && URL.canParse(draft.public_url) ? new URL(draft.public_url) : undefined;
  const owners = new Map<string, string>();
  for (const { name, path, entry } of environmentsOf(survey)) {
    const { login, proxy } = entry;
    const sendsTo = login?.protocol === 'handoff' ? login.sends_to : undefined;
    if (!proxy) {
      if (!sendsTo || report.blamed([...path, 'proxy'])) continue;
      const remedy = 'A redirect can be caught only where the pages are reached through the router: add proxy.';
      report.fault([...path, 'login', 'sends_to'], 'sends_to: portal needs a proxy', remedy, 'key');
      continue;
    }
    const at = [...path, 'proxy'];
    const { host, upstream } = proxy;
    if (host !== undefined) {
      const owner = owners.get(host);
      if (host === router?.hostname)
        report.fault([...at, 'host'], OWN, 'Its pages could act as the router: give them a host of their own.');
      else if (owner !== undefined)
        report.fault([...at, 'host'], `is the host of ${owner} already`, 'Give every environment a host of its own.');
      else owners.set(host, name);
    }
    if (upstream !== undefined && !report.blamed([...at, 'upstream']))
      checkUpstream(survey, at, new URL(upstream), router, host);
    checkPaths(survey, at, proxy);
    checkPages(survey, path, entry, proxy);
  }
}

const OWN = 'is the router’s own host';

function checkUpstream(
  { report }: Survey,
  path: Path,
  upstream: URL,
  router: URL | undefined,
  host: string | undefined,
): void {
  const at = [...path, 'upstream'];
  const itself = upstream.origin === router?.origin || (upstream.hostname === host && upstream.port === router?.port);
  if (itself) report.fault(at, 'is the router itself', 'Name the server that the pages come from.');
  else if (upstream.protocol === 'http:' && isPublic(upstream)) {
    const remedy = 'Passwords would be read on the way. Use https, unless this is a network of your own.';
    report.notice(at, 'is plain http to what may be a public address', remedy);
  }
}

const isPublic = ({ href, hostname }: URL): boolean =>
  !isPrivateHost(href) && (isPublicName(hostname) || /^[0-9.]+$|^\[/.test(hostname));

function checkPaths({ report }: Survey, path: Path, { paths }: ProxyDraft): void {
  for (const [index, prefix] of (paths ?? []).entries()) {
    if (prefix !== '/') continue;
    const remedy = 'If login pages and their assets are enough, name them: /login, /assets/.';
    report.notice([...path, 'paths', index], 'everything that the upstream has is passed on', remedy);
  }
}

/** Pages that browsers are sent to, and that are on this host, are passed on. */
function checkPages({ report }: Survey, path: Path, entry: EnvironmentDraft, proxy: ProxyDraft): void {
  const { login, logout } = entry;
  if (!proxy.host || !proxy.paths || proxy.paths.includes(undefined)) return;
  const pages = login ? loginUrls(login).filter(({ called }) => !called) : [];
  const places = pages.map(({ at, url }) => ({ at: [...path, 'login', ...at], url }));
  const front = logout?.front?.url;
  if (front !== undefined) places.push({ at: [...path, 'logout', 'front', 'url'], url: front });
  for (const { at, url } of places) {
    if (report.blamed(at)) continue;
    const { hostname, pathname } = new URL(url);
    const own = hostname === proxy.host;
    if (own && !covered(pathname, proxy.paths)) {
      report.fault(
        at,
        'is on proxy.host, and proxy.paths does not pass it on',
        `Add ${quoted(pathname)} to proxy.paths.`,
      );
    }
  }
  if (login?.protocol !== 'handoff' || !login.sends_to || login.url === undefined) return;
  const at = [...path, 'login', 'url'];
  if (report.blamed(at) || new URL(login.url).hostname === proxy.host) return;
  report.fault(at, 'is not on proxy.host, where sends_to: portal is caught', `Write it with the host ${proxy.host}.`);
}

/** As ProxySettings says: a prefix that ends in `/` covers what is below it, another one itself, too. */
const covered = (path: string, prefixes: readonly (string | undefined)[]): boolean =>
  prefixes.some((prefix = '/') => path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`));
