import { type EmailDomains, openEmailDomains } from '../core/email-domains.ts';
import type { Environment } from '../core/environment.ts';
import type { EnvironmentName } from '../core/names.ts';
import type { ReceiverSettings } from '../logout/receiver.ts';
import { buildHandoff } from './build-handoff.ts';
import { buildOidc } from './build-oidc.ts';
import { buildProxy } from './build-proxy.ts';
import type { Found } from './build-routes.ts';
import { buildSaml } from './build-saml.ts';
import { buildSession } from './build-session.ts';
import { buildTrust } from './build-trust.ts';
import { instantOf, secretFor } from './built-values.ts';
import type { CheckedEnvironment, CheckedLogin } from './checked.ts';
import { readDomainEntry } from './domain-entry.ts';
import type { EnvironmentEntry } from './schema.ts';
import type { Secrets } from './secrets.ts';

/** One entry of `environments`, faultless. */
export function buildEnvironment(
  name: EnvironmentName,
  entry: EnvironmentEntry,
  publicOrigin: string,
  found: Pick<Found, 'secrets' | 'pictures' | 'samlProviders'>,
): CheckedEnvironment {
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
      grants: grantsOf(entry),
      emailVerified: entry.may_assert.email_verified ?? emailVerified(entry.login.protocol),
    },
    sets: { ...entry.sets },
    ...(front && { frontLogout: { url: front.url, returnParam: front.return_param } }),
  };
  const icon = found.pictures.get(`environments.${name}.icon`);
  const receiver = entry.logout && buildReceiver(name, entry.logout, found.secrets);
  return {
    environment,
    login: buildLogin(name, entry, found),
    trust: buildTrust(entry.login, found.secrets),
    ...(entry.proxy && { proxy: buildProxy(name, entry.proxy, publicOrigin, found.secrets) }),
    ...(receiver && { receiver }),
    ...(entry.logout?.receive && { receive: entry.logout.receive }),
    ...(icon !== undefined && { icon }),
  };
}

function buildReceiver(
  name: EnvironmentName,
  { back, pull }: NonNullable<EnvironmentEntry['logout']>,
  secrets: Secrets,
): ReceiverSettings | undefined {
  const tokens = back ?? pull;
  if (!tokens) return undefined;
  const settings = { audience: tokens.audience ?? name, algorithm: tokens.algorithm ?? 'RS256' };
  if (back) return { by: 'push', url: back.url, ...settings };
  return { by: 'pull', secret: secretFor(pull?.secret, secrets), ...settings };
}

/** `logout.front` is what a sign-out goes through, where it is there: never two ways at once. */
function buildLogin(
  name: EnvironmentName,
  { login, logout }: EnvironmentEntry,
  { secrets, samlProviders }: Pick<Found, 'secrets' | 'samlProviders'>,
): CheckedLogin {
  const ownLogout = logout?.front === undefined;
  switch (login.protocol) {
    case 'handoff':
      return buildHandoff(login, secrets);
    case 'oidc':
      return buildOidc(login, secrets, ownLogout);
    case 'saml':
      return buildSaml(login, secrets, samlProviders.get(name), ownLogout);
    case 'session':
      return buildSession(login);
  }
}

function emailDomains(given: EnvironmentEntry['may_assert']['email_domains']): 'any' | EmailDomains {
  if (given === 'any') return 'any';
  return openEmailDomains(given.flatMap((entry) => readDomainEntry(entry) ?? []));
}

/** OIDC Core §5.1 has the claim; the other protocols need not. */
const emailVerified = (protocol: EnvironmentEntry['login']['protocol']) =>
  protocol === 'oidc' ? 'required' : 'not_required';

/** One for all that grant nothing: there may be ten thousand of them. */
const NO_GRANTS: ReadonlySet<string> = new Set();

function grantsOf({ may_assert: { grants = [] }, sets = {} }: EnvironmentEntry): ReadonlySet<string> {
  const fixed = Object.keys(sets);
  return grants.length + fixed.length === 0 ? NO_GRANTS : new Set([...grants, ...fixed]);
}
