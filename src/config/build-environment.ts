import { type EmailDomains, openEmailDomains } from '../core/email-domains.ts';
import type { Environment } from '../core/environment.ts';
import type { EnvironmentName } from '../core/names.ts';
import { type HmacAlgorithm, isHmac, type PublicKeyAlgorithm } from '../keys/keys.ts';
import { DEFAULT_MAX_LIFETIME } from '../protocols/handoff/settings.ts';
import { instantOf, seconds, secretFor } from './built-values.ts';
import type { CheckedEnvironment, CheckedHandoff, CheckedKey } from './checked.ts';
import { readDomainEntry } from './domain-entry.ts';
import type { EnvironmentEntry } from './schema.ts';
import type { Secrets } from './secrets.ts';

type HandoffEntry = Extract<EnvironmentEntry['login'], { protocol: 'handoff' }>;

/** One entry of `environments`, faultless. */
export function buildEnvironment(
  name: EnvironmentName,
  entry: EnvironmentEntry,
  secrets: Secrets,
  icon: string | undefined,
): CheckedEnvironment {
  const { login } = entry;
  if (login.protocol !== 'handoff') throw new Error(`protocol ${login.protocol} passed the check`);
  const { front } = entry.logout ?? {};
  const environment: Environment = {
    name,
    title: entry.title ?? name,
    ...(entry.group !== undefined && { group: entry.group }),
    appUrl: entry.app_url,
    listed: entry.listed ?? true,
    disabled: entry.disabled ?? false,
    ...(entry.from !== undefined && { from: instantOf(entry.from) }),
    ...(entry.until !== undefined && { until: instantOf(entry.until) }),
    mayAssert: {
      emailDomains: emailDomains(entry.may_assert.email_domains),
      claims: new Set(entry.may_assert.claims),
      // OIDC Core §5.1 providers say it; a handoff need not.
      emailVerified: entry.may_assert.email_verified ?? 'not_required',
    },
    sets: { ...entry.sets },
    ...(front && { frontLogout: { url: front.url, returnParam: front.return_param } }),
  };
  return {
    environment,
    login: buildHandoff(login, secrets),
    ...(icon !== undefined && { icon }),
  };
}

function emailDomains(given: EnvironmentEntry['may_assert']['email_domains']): 'any' | EmailDomains {
  if (given === 'any') return 'any';
  return openEmailDomains(given.flatMap((entry) => readDomainEntry(entry) ?? []));
}

function buildHandoff(login: HandoffEntry, secrets: Secrets): CheckedHandoff {
  return {
    protocol: 'handoff',
    url: login.url,
    issuer: login.issuer,
    key: buildKey(login, secrets),
    audience: buildAudience(login.audience),
    nonce: login.nonce ?? 'echoed',
    jti: login.jti ?? 'sent',
    maxLifetime: login.max_lifetime === undefined ? DEFAULT_MAX_LIFETIME : seconds(login.max_lifetime),
    unsolicited: login.unsolicited ?? 'refused',
  };
}

function buildAudience(text: string | undefined): CheckedHandoff['audience'] {
  if (text === undefined) return { is: 'router' };
  return text === 'not_sent' ? { is: 'not_sent' } : { is: 'text', text };
}

function buildKey(login: HandoffEntry, secrets: Secrets): CheckedKey {
  const { algorithms, jwks_url: url } = login;
  const hmac = algorithms.filter(isHmac) satisfies HmacAlgorithm[];
  if (hmac.length > 0) return { kind: 'secret', algorithms: hmac, secret: secretFor(login.secret, secrets) };
  const asymmetric = algorithms.filter((algorithm): algorithm is PublicKeyAlgorithm => !isHmac(algorithm));
  if (url !== undefined)
    return { kind: 'jwks_url', algorithms: asymmetric, url, allowPrivate: login.allow_private ?? false };
  return { kind: 'public_key', algorithms: asymmetric, text: secretFor(login.public_key, secrets).toString('utf8') };
}
