import { randomUUID, sign } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { openSaml } from '../../src/protocols/saml/saml.ts';
import { selfSigned } from '../config/self-signed.ts';
import {
  assertionXml,
  at,
  attribute,
  audience,
  authn,
  bearer,
  failure,
  messageXml,
  NEXT_PROVIDER_KEYS,
  PROVIDER_KEYS,
  posted,
  SETTINGS,
  SUCCESS,
  signed,
} from '../support/saml/responses.ts';
import { CLEAN, type Counterpart, type OpenCounterpart, paramsOf, urlOf } from './delegate.ts';

const RSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';

/** An identity provider that answers what it was asked, in the documents of the workshop. */
export const openSamlCounterpart: OpenCounterpart = async (environment): Promise<Counterpart> => {
  const keys = { us: PROVIDER_KEYS, eu: NEXT_PROVIDER_KEYS }[environment as string] ?? selfSigned();
  const address = `${SETTINGS.publicOrigin}/return/${environment}`;
  const issuer = `https://id.${environment}.example/metadata`;
  const present = (later = 0) => at(Math.floor(Date.now() / 1000) + later);

  const message = (name: string, to: string, inResponseTo: string, content: string): string => {
    const heading = { ID: `_${randomUUID()}`, IssueInstant: present(), Destination: to, InResponseTo: inResponseTo };
    return messageXml(name, heading, issuer, content);
  };

  const assertion = (email: string, inResponseTo: string): string => {
    const id = `_${randomUUID()}`;
    const until = present(120);
    const parts = {
      id,
      issueInstant: present(),
      issuer: `<saml:Issuer>${issuer}</saml:Issuer>`,
      nameId: `<saml:NameID>${email}</saml:NameID>`,
      confirmation: bearer({ Recipient: address, InResponseTo: inResponseTo, NotOnOrAfter: until }),
      conditions: `NotBefore="${present()}" NotOnOrAfter="${until}"`,
      audience: audience(`${address}/metadata`),
      authn: authn().replace(/AuthnInstant="[^"]*"/, `AuthnInstant="${present()}"`),
      attributes: `<saml:AttributeStatement>${attribute('mail', email)}</saml:AttributeStatement>`,
    };
    return signed(assertionXml(parts), id, { keys });
  };

  return {
    delegate: openSaml({
      ...SETTINGS,
      environment,
      provider: {
        entityId: issuer,
        signOn: { url: `https://id.${environment}.example/sso`, binding: 'redirect' },
        logout: { url: `https://id.${environment}.example/slo`, binding: 'redirect' },
        certificates: [keys.certificate],
      },
    }),
    async signIn(departure, email) {
      const { id, RelayState } = readRequest(urlOf(departure));
      const response = message('Response', address, id, `${SUCCESS}${assertion(email, id)}`);
      return { answer: posted('SAMLResponse', response, { RelayState }), browser: CLEAN };
    },
    async cancel(departure) {
      const { id, RelayState } = readRequest(urlOf(departure));
      const response = message('Response', address, id, failure('Responder', 'RequestDenied'));
      return { answer: posted('SAMLResponse', response, { RelayState }), browser: CLEAN };
    },
    async signOut(departure) {
      const { id, RelayState } = readRequest(urlOf(departure));
      const response = message('LogoutResponse', `${address}/logout`, id, SUCCESS);
      const SAMLResponse = deflateRawSync(response).toString('base64');
      // Signed as it is sent (SAML Bindings §3.4.4.1).
      const query = new URLSearchParams({ SAMLResponse, RelayState, SigAlg: RSA_SHA256 }).toString();
      const Signature = sign('sha256', Buffer.from(query), keys.key).toString('base64');
      return paramsOf(`${address}/logout?${query}&${new URLSearchParams({ Signature })}`);
    },
    refuses: {
      ofAnotherLogin: 'saml_in_response_to_mismatch',
      ofAnotherEnvironment: 'saml_destination_mismatch',
      crossed: 'saml_in_response_to_mismatch',
      late: 'saml_too_old',
      early: 'saml_not_yet_valid',
      empty: 'saml_malformed',
    },
    async close() {},
  };
};

/** A request of the redirect binding (SAML Bindings §3.4.4.1). */
function readRequest({ searchParams }: URL): { id: string; RelayState: string } {
  const xml = inflateRawSync(Buffer.from(searchParams.get('SAMLRequest') ?? '', 'base64')).toString();
  return { id: /\sID="([^"]+)"/.exec(xml)?.[1] ?? '', RelayState: searchParams.get('RelayState') ?? '' };
}
