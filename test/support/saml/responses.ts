/**
 * A SAML identity provider's workshop: responses, assertions and logout messages as a provider writes them, signed and
 * encrypted as one does; and the places where a forger would put a knife. Everything is text, so that a test can change
 * it before or after it is signed.
 */
import { createPublicKey, sign } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { SignedXml } from 'xml-crypto';
import encryption from 'xml-encryption';
import type { EnvironmentName } from '../../../src/core/names.ts';
import type { Answer, CarriedLogin } from '../../../src/protocols/delegate.ts';
import { openSaml } from '../../../src/protocols/saml/saml.ts';
import type { KeyPair, SamlSettings } from '../../../src/protocols/saml/settings.ts';
import { type SelfSigned, selfSigned } from '../../config/self-signed.ts';
import { NOW } from '../../keys/tokens.ts';

export const ACS = 'https://login.acme.com/return/globex';
export const SLO = `${ACS}/logout`;
export const ENTITY = `${ACS}/metadata`;
export const IDP = 'https://id.globex.test/saml';
export const REQUEST = '_q83vEjRWeJCrze8SNFZ4kA';
export const CARRIED: CarriedLogin = {
  nonce: 'q83vEjRWeJCrze8SNFZ4kA',
  carry: REQUEST,
  browser: { cookies: () => [] },
};
export const EMAIL_FORMAT = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';

export const PROVIDER_KEYS = selfSigned();
export const NEXT_PROVIDER_KEYS = selfSigned();
export const STRANGER_KEYS = selfSigned();
export const OUR_KEYS = selfSigned();

export const pairOf = ({ key, certificate }: SelfSigned): KeyPair => ({ privateKey: key, certificate });

export const SETTINGS: SamlSettings = {
  environment: 'globex' as EnvironmentName,
  publicOrigin: 'https://login.acme.com',
  provider: {
    entityId: IDP,
    signOn: { url: 'https://id.globex.test/sso', binding: 'redirect' },
    logout: { url: 'https://id.globex.test/slo', binding: 'redirect' },
    certificates: [PROVIDER_KEYS.certificate],
  },
  signing: pairOf(OUR_KEYS),
  signed: 'assertion',
  attributes: new Map(),
  maxAge: 300,
  forceAuthn: false,
  authnContexts: [],
  logout: true,
};

/** The delegate under test, and what becomes of an XML document that is posted to it. */
export function openEnvironment(changes: Partial<SamlSettings> = {}) {
  const delegate = openSaml({ ...SETTINGS, ...changes });
  return {
    ...delegate,
    arrive: async (xml: string, now = NOW, login = CARRIED) =>
      delegate.complete(posted('SAMLResponse', xml), login, now),
  };
}

/** A message as the POST binding brings it. */
export const posted = (
  param: 'SAMLRequest' | 'SAMLResponse',
  xml: string,
  more: Readonly<Record<string, string>> = {},
) => new Map([[param, Buffer.from(xml).toString('base64')], ...Object.entries(more)]) satisfies Answer;

export const at = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

/** Every part of an assertion that a test may want to be different; `''` leaves it out. */
export type AssertionParts = {
  readonly id: string;
  readonly issueInstant: string;
  readonly issuer: string;
  readonly nameId: string;
  readonly confirmation: string;
  readonly conditions: string;
  readonly audience: string;
  readonly authn: string;
  readonly attributes: string;
};

const ATTRIBUTE_STATEMENT = `<saml:AttributeStatement>${attribute('mail', 'ada@globex.test')}${attribute('name', 'Ada Lovelace')}</saml:AttributeStatement>`;

export function attribute(name: string, ...values: readonly string[]): string {
  const written = values.map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`);
  return `<saml:Attribute Name="${name}">${written.join('')}</saml:Attribute>`;
}

export const nameId = (text: string, format = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'): string =>
  `<saml:NameID Format="${format}" SPNameQualifier="${ENTITY}">${text}</saml:NameID>`;

/** A bearer confirmation with these attributes; `undefined` leaves one out. */
export function bearer(changes: Readonly<Record<string, string | undefined>> = {}): string {
  const data = { Recipient: ACS, InResponseTo: REQUEST, NotOnOrAfter: at(NOW + 120), ...changes };
  const written = Object.entries(data).map(([name, value]) => (value === undefined ? '' : ` ${name}="${value}"`));
  return `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData${written.join('')}/></saml:SubjectConfirmation>`;
}

export const audience = (...names: readonly string[]): string =>
  `<saml:AudienceRestriction>${names.map((name) => `<saml:Audience>${name}</saml:Audience>`).join('')}</saml:AudienceRestriction>`;

export const authn = (attributes = '', context = 'urn:oasis:names:tc:SAML:2.0:ac:classes:Password'): string =>
  `<saml:AuthnStatement AuthnInstant="${at(NOW)}" SessionIndex="session-1" ${attributes}><saml:AuthnContext><saml:AuthnContextClassRef>${context}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`;

export function assertionXml(changes: Partial<AssertionParts> = {}): string {
  const parts: AssertionParts = {
    id: '_assertion-1',
    issueInstant: at(NOW),
    issuer: `<saml:Issuer>${IDP}</saml:Issuer>`,
    nameId: nameId('ada-7'),
    confirmation: bearer(),
    conditions: `NotBefore="${at(NOW - 30)}" NotOnOrAfter="${at(NOW + 120)}"`,
    audience: audience(ENTITY),
    authn: authn(),
    attributes: ATTRIBUTE_STATEMENT,
    ...changes,
  };
  const conditions = `<saml:Conditions ${parts.conditions}>${parts.audience}</saml:Conditions>`;
  return `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${parts.id}" Version="2.0" IssueInstant="${parts.issueInstant}">${parts.issuer}<saml:Subject>${parts.nameId}${parts.confirmation}</saml:Subject>${conditions}${parts.authn}${parts.attributes}</saml:Assertion>`;
}

export const SUCCESS =
  '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>';

export const failure = (...codes: readonly string[]): string => {
  const nested = codes.reduceRight(
    (inner, code) => `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${code}">${inner}</samlp:StatusCode>`,
    '',
  );
  return `<samlp:Status>${nested}</samlp:Status>`;
};

/** A response around assertions; its attributes may be changed or left out (`undefined`). */
export function responseXml(
  content: string,
  changes: Readonly<Record<string, string | undefined>> = {},
  { status = SUCCESS, issuer = IDP, extensions = '' } = {},
): string {
  return messageXml(
    'Response',
    { Destination: ACS, InResponseTo: REQUEST, ...changes },
    issuer,
    `${extensions}${status}${content}`,
  );
}

/** Any protocol message from the provider. */
export function messageXml(
  name: string,
  attributes: Readonly<Record<string, string | undefined>>,
  issuer: string,
  content: string,
): string {
  const all = { ID: '_message-1', Version: '2.0', IssueInstant: at(NOW), ...attributes };
  const written = Object.entries(all).map(([key, value]) => (value === undefined ? '' : ` ${key}="${value}"`));
  const from =
    issuer === '' ? '' : `<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${issuer}</saml:Issuer>`;
  return `<samlp:${name} xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"${written.join('')}>${from}${content}</samlp:${name}>`;
}

const DSIG = 'http://www.w3.org/2000/09/xmldsig#';
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const USUAL = {
  keys: PROVIDER_KEYS,
  method: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  digest: 'http://www.w3.org/2001/04/xmlenc#sha256',
  canonicalization: EXCLUSIVE,
  transforms: [`${DSIG}enveloped-signature`, EXCLUSIVE] as readonly string[],
};

/** Signs the element with this ID, by an enveloped signature right behind its Issuer. */
export function signed(xml: string, id: string, changes: Partial<typeof USUAL> = {}): string {
  const { keys, method, digest, canonicalization, transforms } = { ...USUAL, ...changes };
  const signer = new SignedXml({
    privateKey: keys.key,
    publicCert: keys.certificate,
    signatureAlgorithm: method as typeof USUAL.method,
    canonicalizationAlgorithm: canonicalization as typeof EXCLUSIVE,
  });
  signer.addReference({ xpath: `//*[@ID='${id}']`, transforms: [...transforms], digestAlgorithm: digest });
  const location = { reference: `//*[@ID='${id}']/*[local-name()='Issuer']`, action: 'after' as const };
  signer.computeSignature(xml, { prefix: 'ds', location });
  return signer.getSignedXml();
}

/** A right response with a signed assertion. */
export const goodResponse = (changes: Partial<AssertionParts> = {}): string =>
  responseXml(signed(assertionXml(changes), changes.id ?? '_assertion-1'));

/** An assertion as EncryptedAssertion, to a certificate. */
export async function encrypted(
  assertion: string,
  to: SelfSigned = OUR_KEYS,
  methods: { readonly data?: string; readonly key?: string } = {},
): Promise<string> {
  const data = await new Promise<string>((resolve, reject) => {
    encryption.encrypt(
      assertion,
      {
        rsa_pub: createPublicKey(to.certificate).export({ type: 'spki', format: 'pem' }) as string,
        pem: to.certificate,
        encryptionAlgorithm: (methods.data ?? 'http://www.w3.org/2009/xmlenc11#aes256-gcm') as never,
        keyEncryptionAlgorithm: (methods.key ?? 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p') as never,
        warnInsecureAlgorithm: false,
      },
      (error, result) => (error ? reject(error) : resolve(result)),
    );
  });
  return `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${data}</saml:EncryptedAssertion>`;
}

/** A message as the redirect binding brings it, in the sender's own percent-encoding; `changes` come after signing. */
export function redirected(
  param: 'SAMLRequest' | 'SAMLResponse',
  xml: string,
  {
    keys = PROVIDER_KEYS,
    encode = encodeURIComponent as (text: string) => string,
    algorithm = USUAL.method,
    hash = 'sha256',
    relayState = '0123456789' as string | undefined,
    changes = {} as Readonly<Record<string, string | undefined>>,
  } = {},
): Answer {
  const pairs = [[param, deflateRawSync(xml).toString('base64')]];
  if (relayState !== undefined) pairs.push(['RelayState', relayState]);
  pairs.push(['SigAlg', algorithm]);
  const query = pairs.map(([name, value = '']) => `${name}=${encode(value)}`).join('&');
  const answer = new Map(pairs as [string, string][]);
  answer.set('Signature', sign(hash, Buffer.from(query), keys.key).toString('base64'));
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) answer.delete(name);
    else answer.set(name, value);
  }
  return answer;
}
