import { parseDomain } from '../core/email.ts';
import { listed } from './nearest.ts';
import type { Path } from './problem.ts';
import { environmentsOf, type Survey } from './survey.ts';

type Claim = { readonly environment: string; readonly path: Path; readonly shared: boolean };

/** One email domain belongs to one environment, unless all that name it say `shared: true`. */
export function checkDomains(survey: Survey): void {
  const claims = new Map<string, Claim[]>();
  for (const { name, path, entry } of environmentsOf(survey)) {
    const { email_domains: domains, shared = false } = entry.may_assert ?? {};
    if (!Array.isArray(domains)) continue;
    for (const [index, text] of (domains as readonly (string | undefined)[]).entries()) {
      const domain = text === undefined ? undefined : parseDomain(text);
      if (domain === undefined) continue;
      const claim = { environment: name, path: [...path, 'may_assert', 'email_domains', index], shared };
      const known = claims.get(domain);
      if (known) known.push(claim);
      else claims.set(domain, [claim]);
    }
  }
  for (const [domain, all] of claims) {
    const environments = [...new Set(all.map((claim) => claim.environment))];
    if (environments.length === 1 || all.every((claim) => claim.shared)) continue;
    const message = `${domain} belongs to several environments: ${listed(environments)}`;
    const remedy =
      'Leave it with one, or write shared: true under may_assert of each, if they may sign in the same people.';
    for (const { path } of all) survey.report.fault(path, message, remedy);
  }
}
