import { parseEmail } from './email.ts';
import type { Assertion, Claims, ClaimValue, Environment, Identity } from './environment.ts';
import type { Reason } from './reason.ts';

export type PolicyOutcome =
  | { readonly ok: true; readonly identity: Identity }
  | { readonly ok: false; readonly reason: Reason; readonly detail?: string };

/** The two ways of naming one account (source document 000): never both in one token. */
const ACCOUNT_CLAIMS = ['account_id', 'account_external_id'] as const;

/** What an environment said → what the router is willing to repeat about the person, or why not. */
export function applyPolicy(environment: Environment, assertion: Assertion): PolicyOutcome {
  const { email: assertedEmail, email_verified: verified } = assertion.claims;
  if (assertedEmail === undefined || assertedEmail === '') {
    return { ok: false, reason: 'jwt_missing_required_claim', detail: 'email' };
  }
  const email = parseEmail(assertedEmail);
  if (!email) return { ok: false, reason: 'email_malformed' };
  // `true` in text is what some identity providers send; anything else that is present is a no.
  if (verified !== undefined && verified !== true && verified !== 'true')
    return { ok: false, reason: 'email_not_verified' };
  if (verified === undefined && environment.mayAssert.emailVerified === 'required') {
    return { ok: false, reason: 'email_not_verified', detail: 'email_verified is absent' };
  }
  const { emailDomains } = environment.mayAssert;
  if (emailDomains !== 'any' && !emailDomains.admits(email.domain)) {
    return { ok: false, reason: 'email_domain_not_allowed', detail: email.domain };
  }
  return {
    ok: true,
    identity: {
      environment: environment.name,
      email: email.address,
      claims: grantedClaims(environment, assertion.claims),
      granted: environment.mayAssert.grants,
    },
  };
}

function grantedClaims(environment: Environment, asserted: Claims): Claims {
  const claims: Record<string, ClaimValue> = {};
  const accountIsSet = ACCOUNT_CLAIMS.some((name) => Object.hasOwn(environment.sets, name));
  for (const name of environment.mayAssert.claims) {
    if (accountIsSet && (ACCOUNT_CLAIMS as readonly string[]).includes(name)) continue;
    const value = Object.hasOwn(asserted, name) ? asserted[name] : undefined;
    if (value !== undefined && value !== null) claims[name] = value;
  }
  return Object.assign(claims, environment.sets);
}
