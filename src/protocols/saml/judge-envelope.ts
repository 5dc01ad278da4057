import { Refusal } from '../../core/reason.ts';
import type { Instant } from '../../core/time.ts';
import { checkAge } from './instant.ts';
import type { SamlSettings } from './settings.ts';
import { signatureOf } from './structure.ts';
import { ASSERTION, ENTITY_FORMAT } from './uris.ts';
import { childrenOf, type XmlElement } from './xml-tree.ts';

/** What every message says of itself (SAML Core §3.2): version, age, sender, and where it was meant to go. */
export function judgeEnvelope(
  message: XmlElement,
  destination: string,
  settings: SamlSettings,
  now: Instant,
  signed = signatureOf(message) !== undefined,
): void {
  if (message.attributes.get('Version') !== '2.0') throw new Refusal('saml_malformed', 'Version is not 2.0');
  // Required of signed messages (SAML Bindings §3.4.5.2 and §3.5.5.2).
  const meant = message.attributes.get('Destination');
  if (meant === undefined ? signed : meant !== destination) throw new Refusal('saml_destination_mismatch');
  judgeIssuer(message, settings.provider.entityId, false);
  checkAge(message, 'IssueInstant', settings.maxAge, now);
}

/** SAML Profiles §4.1.4.2: of the format `entity`, and the provider's. */
export function judgeIssuer(element: XmlElement, entityId: string, required: boolean): void {
  const issuers = childrenOf(element, ASSERTION, 'Issuer');
  const [issuer] = issuers;
  if (!issuer && !required) return;
  const format = issuer?.attributes.get('Format') ?? ENTITY_FORMAT;
  if (
    issuers.length !== 1 ||
    issuer?.text.trim() !== entityId ||
    issuer.children.length > 0 ||
    format !== ENTITY_FORMAT
  )
    throw new Refusal('saml_issuer_mismatch', element.name);
}

/** Throws `Refusal` unless the message answers this request. */
export function judgeInResponseTo(element: XmlElement, requestId: string): void {
  if (element.attributes.get('InResponseTo') !== requestId)
    throw new Refusal('saml_in_response_to_mismatch', element.name);
}
