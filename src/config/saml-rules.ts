import { X509Certificate } from 'node:crypto';
import type { EnvironmentName } from '../core/names.ts';
import type { Instant } from '../core/time.ts';
import { keyFault } from '../keys/key-kind.ts';
import { parseIdpMetadata } from '../protocols/saml/idp-metadata.ts';
import type { SamlProvider } from '../protocols/saml/settings.ts';
import type { Path } from './problem.ts';
import type { LoginDraft } from './schema.ts';
import type { Secrets } from './secrets.ts';
import { environmentsOf, type Survey } from './survey.ts';
import { urlFault } from './url-fault.ts';

type SamlDraft = Extract<LoginDraft, { protocol?: 'saml' | undefined }>;

/** Identity providers that metadata describes, by environment. */
export type SamlProviders = ReadonlyMap<EnvironmentName, SamlProvider>;

/** What describes an identity provider. Reads its metadata, and says what is wrong with either. */
export function readSamlProviders(survey: Survey, values: Secrets, now: Instant): SamlProviders {
  const providers = new Map<EnvironmentName, SamlProvider>();
  for (const { name, path, entry } of environmentsOf(survey)) {
    const { login } = entry;
    if (login?.protocol !== 'saml') continue;
    const at = [...path, 'login'];
    checkSources(survey, at, login);
    checkStated(survey, at, login, values);
    checkOwnKeys(survey, at, login);
    const xml = login.metadata && values.get(login.metadata);
    const provider = xml && readMetadata(survey, [...at, 'metadata'], xml.toString('utf8'), now);
    if (provider) providers.set(name as EnvironmentName, provider);
    checkLogout(survey, at, login, provider);
    const knownProvider = !login.metadata || provider !== undefined;
    if (entry.logout?.receive === 'single_logout' && knownProvider && !offeredLogout(login, provider)) {
      const message = 'the identity provider has no single logout service, so nobody could answer its LogoutRequests';
      const remedy = 'Give slo_url, or metadata with a SingleLogoutService; or remove receive.';
      survey.report.fault([...path, 'logout', 'receive'], message, remedy);
    }
  }
  return providers;
}

const NEEDED = ['issuer', 'sso_url', 'certificates'] as const;
const STATED = [...NEEDED, 'sso_binding', 'slo_url', 'slo_binding'] as const;

/** The provider's metadata, or what would stand in it. */
function checkSources({ report }: Survey, path: Path, login: SamlDraft): void {
  const given = STATED.filter((word) => login[word] !== undefined);
  if (login.metadata) {
    for (const word of given) {
      report.fault([...path, word], `${word} stands beside metadata`, 'Keep one of the two: metadata says it.', 'key');
    }
    return;
  }
  if (report.blamed([...path, 'metadata'])) return;
  const missing = NEEDED.filter((word) => login[word] === undefined && !report.blamed([...path, word]));
  if (missing.length === NEEDED.length) {
    const remedy = `Write { file: idp.xml }; or in its place ${NEEDED.join(', ')}.`;
    report.fault([...path, 'metadata'], 'required, and missing', remedy, 'key');
    return;
  }
  for (const word of missing) {
    report.fault([...path, word], 'required, and missing', 'Without metadata the file has to say it.', 'key');
  }
  if (login.slo_binding && login.slo_url === undefined && !report.blamed([...path, 'slo_url'])) {
    report.fault(
      [...path, 'slo_binding'],
      'slo_binding stands beside slo_url only',
      'Add slo_url, or remove it.',
      'key',
    );
  }
}

/** That each is a certificate has been checked with all others; here it is whether its key may be believed. */
function checkStated({ report }: Survey, path: Path, login: SamlDraft, values: Secrets): void {
  for (const [index, reference] of (login.certificates ?? []).entries()) {
    const value = reference && values.get(reference);
    const key = value && publicKeyIn(value);
    // Of the XML signature methods only those of RSA are taken.
    const fault = key && keyFault(key, 'RS256');
    if (fault) report.fault([...path, 'certificates', index], fault, 'Ask the provider for another one.');
  }
}

function publicKeyIn(value: Buffer) {
  try {
    return new X509Certificate(value).publicKey;
  } catch {
    return undefined;
  }
}

function checkOwnKeys({ report }: Survey, path: Path, login: SamlDraft): void {
  for (const [word, other] of [
    ['private_key', 'certificate'],
    ['certificate', 'private_key'],
  ] as const) {
    if (!login[word] || login[other] || report.blamed([...path, other])) continue;
    report.fault([...path, other], 'required, and missing', `${word} needs it; the two are one pair.`, 'key');
  }
}

function readMetadata({ report, insecure }: Survey, path: Path, xml: string, now: Instant): SamlProvider | undefined {
  const parsed = parseIdpMetadata(xml, now);
  if (!parsed.ok) {
    report.fault(path, parsed.message, parsed.remedy);
    return undefined;
  }
  const { provider, notices } = parsed;
  for (const notice of notices) report.notice(path, notice, 'Ask the provider for new metadata if that is not meant.');
  const { signOn, logout } = provider;
  for (const url of [signOn.url, logout?.url, logout?.responseUrl]) {
    const fault = url === undefined ? undefined : urlFault(url, insecure);
    if (fault) report.fault(path, `an address in it ${fault[0]}`, 'Ask the provider for other metadata.');
  }
  return provider;
}

const offeredLogout = (login: SamlDraft, provider: SamlProvider | undefined) => provider?.logout ?? login.slo_url;

/** SAML Profiles §4.4.4.1: a LogoutRequest MUST be signed. */
function checkLogout({ report }: Survey, path: Path, login: SamlDraft, provider: SamlProvider | undefined): void {
  if (
    !offeredLogout(login, provider) ||
    login.private_key ||
    login.single_logout ||
    report.blamed([...path, 'private_key'])
  )
    return;
  const remedy = 'Give private_key and certificate; or write single_logout: not_used, if that is meant.';
  report.notice(path, 'its single logout is not used: logout requests have to be signed', remedy, 'key');
}
