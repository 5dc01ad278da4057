import { Refusal } from '../../core/reason.ts';
import { CLOCK_SKEW, type Instant } from '../../core/time.ts';
import { addressesOf } from './addresses.ts';
import { checkAge, checkWindow, timeIn } from './instant.ts';
import { judgeInResponseTo, judgeIssuer } from './judge-envelope.ts';
import type { SamlSettings } from './settings.ts';
import { ASSERTION, BEARER } from './uris.ts';
import { childOf, childrenOf, type XmlElement } from './xml-tree.ts';

/** What of an accepted assertion is needed afterwards. */
export type JudgedAssertion = {
  readonly id: string;
  readonly issuedAt: Instant;
  /** The last instant at which it could be accepted. */
  readonly acceptableUntil: number;
};

/**
 * Judges a verified assertion by SAML Profiles §4.1.4.2 and §4.1.4.3: whose it is, for whom, for which login, and
 * whether it still holds. Throws `Refusal`.
 */
export function judgeAssertion(
  assertion: XmlElement,
  requestId: string,
  settings: SamlSettings,
  now: Instant,
): JudgedAssertion {
  const { provider, maxAge } = settings;
  const id = assertion.attributes.get('ID');
  if (!id || assertion.attributes.get('Version') !== '2.0') malformed('an Assertion without ID or Version 2.0');
  judgeIssuer(assertion, provider.entityId, true);
  const issuedAt = checkAge(assertion, 'IssueInstant', maxAge, now);
  const confirmedUntil = judgeSubject(assertion, requestId, settings, now);
  const until = judgeConditions(assertion, settings, now);
  judgeStatements(assertion, settings, now);
  const acceptableUntil = Math.ceil(Math.min(issuedAt + maxAge, confirmedUntil, until)) + CLOCK_SKEW;
  return { id, issuedAt: Math.floor(issuedAt), acceptableUntil };
}

/** One bearer confirmation has to be right in all that it says → its end. The reason is that of the first. */
function judgeSubject(assertion: XmlElement, requestId: string, settings: SamlSettings, now: Instant): number {
  const subject = only(assertion, 'Subject');
  const bearers = childrenOf(subject, ASSERTION, 'SubjectConfirmation').filter(
    ({ attributes }) => attributes.get('Method') === BEARER,
  );
  let refusal = new Refusal('saml_malformed', 'no bearer SubjectConfirmation');
  for (const [index, bearer] of bearers.entries()) {
    try {
      return judgeBearer(bearer, requestId, settings, now);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (index === 0) refusal = error;
    }
  }
  throw refusal;
}

function judgeBearer(bearer: XmlElement, requestId: string, settings: SamlSettings, now: Instant): number {
  const data = only(bearer, 'SubjectConfirmationData');
  if (data.attributes.get('Recipient') !== addressesOf(settings).assertionConsumer)
    throw new Refusal('saml_recipient_mismatch');
  judgeInResponseTo(data, requestId);
  const until = timeIn(data, 'NotOnOrAfter');
  if (until === undefined || data.attributes.has('NotBefore'))
    malformed('SubjectConfirmationData without NotOnOrAfter, or with NotBefore');
  checkWindow(data, now);
  return until;
}

/** Conditions that are not known here cannot be met (SAML Core §2.5.1). Single use is the caller's, for all. */
const KNOWN_CONDITIONS: ReadonlySet<string> = new Set(['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction']);

function judgeConditions(assertion: XmlElement, settings: SamlSettings, now: Instant): number {
  const conditions = only(assertion, 'Conditions');
  checkWindow(conditions, now);
  for (const { name, namespace } of conditions.children) {
    if (namespace !== ASSERTION || !KNOWN_CONDITIONS.has(name)) malformed('an unknown condition');
  }
  const { entityId } = addressesOf(settings);
  const restrictions = childrenOf(conditions, ASSERTION, 'AudienceRestriction');
  const names = (restriction: XmlElement) =>
    childrenOf(restriction, ASSERTION, 'Audience').some(({ text }) => text.trim() === entityId);
  if (restrictions.length === 0 || !restrictions.every(names)) throw new Refusal('saml_audience_mismatch');
  return timeIn(conditions, 'NotOnOrAfter') ?? Number.POSITIVE_INFINITY;
}

/** How the person was authenticated, and until when their session lasts (SAML Core §2.7.2). */
function judgeStatements(assertion: XmlElement, settings: SamlSettings, now: Instant): void {
  const statements = childrenOf(assertion, ASSERTION, 'AuthnStatement');
  if (statements.length === 0) malformed('no AuthnStatement');
  for (const statement of statements) {
    checkWindow(statement, now, 'SessionNotOnOrAfter');
    // The request may reach the provider unsigned, without what was asked for: it is looked for in the answer.
    if (settings.forceAuthn) checkAge(statement, 'AuthnInstant', settings.maxAge, now);
  }
  const { authnContexts } = settings;
  if (authnContexts.length > 0 && !statements.some((statement) => authnContexts.includes(contextOf(statement))))
    throw new Refusal('saml_authn_context_mismatch');
}

/** The AuthnContextClassRef; `''` when there is none. */
function contextOf(statement: XmlElement): string {
  const context = childOf(statement, ASSERTION, 'AuthnContext');
  return (context && childOf(context, ASSERTION, 'AuthnContextClassRef')?.text.trim()) ?? '';
}

function only(parent: XmlElement, name: string): XmlElement {
  const found = childrenOf(parent, ASSERTION, name);
  const [first] = found;
  return first && found.length === 1 ? first : malformed(`${parent.name} without exactly one ${name}`);
}

function malformed(detail: string): never {
  throw new Refusal('saml_malformed', detail);
}
