import { type HmacAlgorithm, isHmac, type PublicKeyAlgorithm } from '../keys/keys.ts';
import { DEFAULT_MAX_LIFETIME } from '../protocols/handoff/settings.ts';
import { seconds, secretFor } from './built-values.ts';
import type { CheckedHandoff, CheckedKey } from './checked.ts';
import type { EnvironmentEntry } from './schema.ts';
import type { Secrets } from './secrets.ts';

type HandoffEntry = Extract<EnvironmentEntry['login'], { protocol: 'handoff' }>;

/** `login` with `protocol: handoff`, faultless. */
export function buildHandoff(login: HandoffEntry, secrets: Secrets): CheckedHandoff {
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
    sendsTo: login.sends_to ?? 'router',
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
  if (url !== undefined) return { kind: 'jwks_url', algorithms: asymmetric, url };
  return { kind: 'public_key', algorithms: asymmetric, text: secretFor(login.public_key, secrets).toString('utf8') };
}
