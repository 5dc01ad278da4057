import { Refusal } from '../../core/reason.ts';
import type { Instant } from '../../core/time.ts';
import type { Answer } from '../delegate.ts';
import { addressesOf } from './addresses.ts';
import { decryptAssertion } from './decrypt.ts';
import { type JudgedAssertion, judgeAssertion } from './judge-assertion.ts';
import { judgeEnvelope, judgeInResponseTo } from './judge-envelope.ts';
import { readPosted } from './read-message.ts';
import type { SamlSettings } from './settings.ts';
import { checkStatus } from './status.ts';
import { assertionsOf, checkStructure, signatureOf } from './structure.ts';
import { ASSERTION, PROTOCOL } from './uris.ts';
import type { SignatureCheck, Signed } from './verify-signed.ts';
import { is, type XmlElement } from './xml-tree.ts';

export type AcceptedAssertion = JudgedAssertion & { readonly element: XmlElement };

/**
 * A SAML Response out of a posted form → its assertion, from the bytes that were signed. The order matters: shape of
 * the XML, places of assertions and signatures, what the envelope says, decryption, signatures, and only then what
 * the assertion says. Throws `Refusal`.
 */
export async function acceptResponse(
  answer: Answer,
  requestId: string,
  settings: SamlSettings,
  check: SignatureCheck,
  now: Instant,
): Promise<AcceptedAssertion> {
  const value = answer.get('SAMLResponse');
  if (!value) throw new Refusal('saml_malformed', 'SAMLResponse is absent');
  const response = readPosted(value);
  if (!is(response.root, PROTOCOL, 'Response')) throw new Refusal('saml_malformed', 'not a Response');
  checkStructure(response.root);
  checkStatus(response.root);
  judgeInResponseTo(response.root, requestId);
  judgeEnvelope(response.root, addressesOf(settings).assertionConsumer, settings, now);

  const [sent] = assertionsOf(response.root);
  if (!sent) throw new Refusal('saml_malformed', 'no assertion');
  const assertion = is(sent, ASSERTION, 'Assertion')
    ? sent
    : (await decryptAssertion(response, settings.decryption?.privateKey)).root;
  const signed = {
    response: signatureOf(response.root) !== undefined,
    assertion: signatureOf(assertion) !== undefined,
  };
  requireSigned(signed, settings.signed);

  const element = await check.assertion(response, requestId, signed);
  if (!is(element, ASSERTION, 'Assertion') || element.attributes.get('ID') !== assertion.attributes.get('ID'))
    throw new Refusal('saml_structure_refused', 'something else was signed');
  return { element, ...judgeAssertion(element, requestId, settings, now) };
}

function requireSigned({ response, assertion }: Signed, required: SamlSettings['signed']): void {
  if (!response && required !== 'assertion') throw new Refusal('saml_signature_missing', 'Response');
  if (!assertion && required !== 'response') throw new Refusal('saml_signature_missing', 'Assertion');
}
