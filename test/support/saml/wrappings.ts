/**
 * Signature wrapping (Somorovsky et al., "On Breaking SAML", USENIX Security 2012): something rightly signed is moved to
 * where its signature still verifies, and a forged assertion takes its place.
 */
import { assertionXml, nameId, responseXml, signed } from './responses.ts';

const SIGNATURE = /<ds:Signature[\s\S]*<\/ds:Signature>/;

const ORIGINAL = assertionXml();
const EVIL = assertionXml({ id: '_evil', nameId: nameId('eve-1') });

const signedAssertion = signed(ORIGINAL, '_assertion-1');
const signedResponse = signed(responseXml(ORIGINAL), '_message-1');
const signatureOf = (xml: string): string => SIGNATURE.exec(xml)?.[0] ?? '';
const intoObject = (signature: string, content: string): string =>
  signature.replace('</ds:Signature>', `<ds:Object>${content}</ds:Object></ds:Signature>`);
const intoSignature = (signature: string, content: string): string =>
  signature.replace('</ds:Signature>', `${content}</ds:Signature>`);
/** Puts something right behind an element's own Issuer. */
const behindIssuer = (xml: string, content: string): string =>
  xml.replace('</saml:Issuer>', `</saml:Issuer>${content}`);

const assertionSignature = signatureOf(signedAssertion);
const responseSignature = signatureOf(signedResponse);
const originalResponse = responseXml(ORIGINAL);
const evilResponse = responseXml(EVIL, { ID: '_evil-message' });

/** By number; 1 and 2 are for signed responses, the others for signed assertions. */
export const WRAPPINGS: Readonly<Record<string, string>> = {
  'XSW1: the response in its signature': behindIssuer(evilResponse, intoSignature(responseSignature, originalResponse)),
  'XSW2: the response before its signature': behindIssuer(evilResponse, `${originalResponse}${responseSignature}`),
  'XSW3: a forged assertion before the signed one': responseXml(`${EVIL}${signedAssertion}`),
  'XSW4: the signed assertion in a forged one': responseXml(
    EVIL.replace('</saml:Assertion>', `${signedAssertion}</saml:Assertion>`),
  ),
  'XSW5: the signature in a forged assertion, the original at the end': responseXml(
    `${behindIssuer(EVIL, assertionSignature)}${ORIGINAL}`,
  ),
  'XSW6: the original in the signature of a forged assertion': responseXml(
    behindIssuer(EVIL, intoSignature(assertionSignature, ORIGINAL)),
  ),
  'XSW7: a forged assertion in Extensions': responseXml(signedAssertion, {}, { extensions: extensions(EVIL) }),
  'XSW7 with the ID of the signed one': responseXml(
    signedAssertion,
    {},
    { extensions: extensions(EVIL.replace('_evil', '_assertion-1')) },
  ),
  'XSW7 reversed: the signed assertion in Extensions': responseXml(
    EVIL,
    {},
    { extensions: extensions(signedAssertion) },
  ),
  'XSW8: the original in an Object of the signature': responseXml(
    behindIssuer(EVIL, intoObject(assertionSignature, ORIGINAL)),
  ),
  'XSW3 behind: a forged assertion after the signed one': responseXml(`${signedAssertion}${EVIL}`),
  'a forged assertion in Advice': responseXml(
    signedAssertion.replace('<saml:AuthnStatement', `<saml:Advice>${EVIL}</saml:Advice><saml:AuthnStatement`),
  ),
  'a forged assertion with the ID of the signed one': responseXml(
    `${signedAssertion}${EVIL.replace('_evil', '_assertion-1')}`,
  ),
  'an assertion of another namespace beside it': responseXml(
    `${EVIL.replace('urn:oasis:names:tc:SAML:2.0:assertion', 'urn:other')}${signedAssertion}`,
  ),
  'two signatures in one assertion': responseXml(behindIssuer(signedAssertion, assertionSignature)),
  'several SignedInfo': responseXml(
    signedAssertion.replace(/<ds:SignedInfo>[\s\S]*<\/ds:SignedInfo>/, (one) => one + one),
  ),
  'a SignedInfo in the KeyInfo': responseXml(
    signedAssertion.replace(
      '<ds:X509Data>',
      `${/<ds:SignedInfo>[\s\S]*<\/ds:SignedInfo>/.exec(signedAssertion)}<ds:X509Data>`,
    ),
  ),
  'a second Reference': responseXml(
    signedAssertion.replace(/<ds:Reference[\s\S]*<\/ds:Reference>/, (one) => one + one),
  ),
  'an empty Reference': responseXml(signedAssertion.replace('URI="#_assertion-1"', 'URI=""')),
  'a Reference to something else': responseXml(signedAssertion.replace('URI="#_assertion-1"', 'URI="#_message-1"')),
  'a signature of its own namespace only': responseXml(
    signedAssertion.replace('xmlns:ds="http://www.w3.org/2000/09/xmldsig#"', 'xmlns:ds="urn:other"'),
  ),
  'two kinds of ID on the assertion': responseXml(
    signedAssertion.replace('ID="_assertion-1"', 'ID="_assertion-1" Id="_evil"'),
  ),
  'a signature without an element to sign': responseXml(ORIGINAL).replace(
    '<samlp:Status>',
    `<samlp:Status>${assertionSignature}`,
  ),
};

function extensions(content: string): string {
  return `<samlp:Extensions>${content}</samlp:Extensions>`;
}
