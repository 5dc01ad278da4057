import { parentDomains } from '../core/email-domains.ts';
import { readDomainEntry } from './domain-entry.ts';
import { listed } from './nearest.ts';
import type { Path } from './problem.ts';
import { isPublicMail } from './public-mail.ts';
import { environmentsOf, type Survey } from './survey.ts';

type Claim = {
  readonly environment: string;
  readonly path: Path;
  readonly domain: string;
  readonly subdomains: boolean;
  readonly shared: boolean;
};

/** What an environment may claim as its people's domains, and what it may claim beside others. */
export function checkDomains(survey: Survey): void {
  const claims = readClaims(survey);
  const byDomain = Map.groupBy(claims, ({ domain }) => domain);
  for (const [domain, same] of byDomain) if (same.length > 1) reportSeveral(survey, domain, same);
  checkOverlaps(survey, claims, byDomain);
}

function readClaims(survey: Survey): Claim[] {
  const claims: Claim[] = [];
  for (const { name, path, entry } of environmentsOf(survey)) {
    const { email_domains: entries, shared = false } = entry.may_assert ?? {};
    if (typeof entries !== 'object') continue;
    for (const [index, text] of entries.entries()) {
      const claim = readDomainEntry(text);
      if (!claim) continue;
      const { domain, subdomains, publicMail } = claim;
      const at = [...path, 'may_assert', 'email_domains', index];
      claims.push({ environment: name, path: at, domain, subdomains, shared });
      if (publicMail || !isPublicMail(domain) || survey.report.blamed([...at, 'public_mail'])) continue;
      const remedy = `Name domains that only this environment’s people have. If it really may sign in anybody at ${domain}: { domain: ${domain}, public_mail: accepted }.`;
      survey.report.fault(at, 'is a public mail provider: anybody can have an address there', remedy);
    }
  }
  return claims;
}

/** One email domain belongs to one environment, unless all that name it say `shared: true`. */
function reportSeveral({ report }: Survey, domain: string, claims: readonly Claim[]): void {
  if (claims.every(({ shared }) => shared)) return;
  const environments = new Set(claims.map(({ environment }) => environment));
  if (environments.size === 1) return;
  for (const { path } of claims) {
    report.fault(path, `${domain} belongs to several environments: ${listed(environments)}`, ONE_OR_SHARED);
  }
}

/** A name below a domain whose subdomains another environment includes is claimed twice, like one that both name. */
function checkOverlaps(
  { report }: Survey,
  claims: readonly Claim[],
  byDomain: ReadonlyMap<string, readonly Claim[]>,
): void {
  if (!claims.some(({ subdomains }) => subdomains)) return;
  for (const inner of claims) {
    const disputes = ({ environment, subdomains, shared }: Claim) =>
      subdomains && environment !== inner.environment && !(shared && inner.shared);
    for (const parent of parentDomains(inner.domain)) {
      const outer = byDomain.get(parent)?.find(disputes);
      if (!outer) continue;
      const message = `${inner.domain} belongs to ${inner.environment}, and to ${outer.environment} with the subdomains of ${parent}`;
      report.fault(inner.path, message, ONE_OR_SHARED);
      report.fault(outer.path, message, ONE_OR_SHARED);
    }
  }
}

const ONE_OR_SHARED =
  'Leave it with one, or write shared: true under may_assert of each, if they may sign in the same people.';
