import type { Instant } from '../../core/time.ts';
import { formatDateTime } from './instant.ts';
import type { SamlSession } from './session.ts';
import { ASSERTION, BINDINGS, PROTOCOL, STATUS } from './uris.ts';

/** What every message of ours begins with. */
export type Heading = {
  readonly id: string;
  readonly destination: string;
  /** Our entity ID. */
  readonly issuer: string;
  readonly now: Instant;
};

type Attributes = Readonly<Record<string, string | boolean | undefined>>;

/** AuthnRequest (SAML Core §3.4.1): the answer is asked for by POST, which has room for it. */
export function writeAuthnRequest(
  heading: Heading & {
    readonly assertionConsumer: string;
    readonly nameIdFormat: string | undefined;
    readonly forceAuthn: boolean;
    readonly authnContexts: readonly string[];
  },
): string {
  const { nameIdFormat, authnContexts } = heading;
  const policy = element('samlp:NameIDPolicy', { AllowCreate: true, Format: nameIdFormat });
  const classes = authnContexts.map((one) => element('saml:AuthnContextClassRef', {}, escapeXml(one)));
  const context = element('samlp:RequestedAuthnContext', { Comparison: 'exact' }, classes.join(''));
  return message('AuthnRequest', heading, policy + (classes.length > 0 ? context : ''), {
    AssertionConsumerServiceURL: heading.assertionConsumer,
    ForceAuthn: heading.forceAuthn || undefined,
    ProtocolBinding: BINDINGS.post,
  });
}

/** LogoutRequest (SAML Core §3.7.1). */
export function writeLogoutRequest(heading: Heading, session: SamlSession): string {
  const { nameId, format, nameQualifier, spNameQualifier, index } = session;
  const qualifiers = { Format: format, NameQualifier: nameQualifier, SPNameQualifier: spNameQualifier };
  const who = element('saml:NameID', qualifiers, escapeXml(nameId));
  return message('LogoutRequest', heading, who + (index ? element('samlp:SessionIndex', {}, escapeXml(index)) : ''));
}

/** LogoutResponse (SAML Core §3.7.2): Success, or that something of it is left. */
export function writeLogoutResponse(
  heading: Heading & { readonly inResponseTo: string; readonly ended: boolean },
): string {
  const code = (name: string, inner = '') => element('samlp:StatusCode', { Value: `${STATUS}${name}` }, inner);
  const status = heading.ended ? code('Success') : code('Responder', code('PartialLogout'));
  return message('LogoutResponse', heading, element('samlp:Status', {}, status), {
    InResponseTo: heading.inResponseTo,
  });
}

function message(name: string, { id, destination, issuer, now }: Heading, body: string, more: Attributes = {}): string {
  const attributes = {
    'xmlns:samlp': PROTOCOL,
    'xmlns:saml': ASSERTION,
    ID: id,
    Version: '2.0',
    IssueInstant: formatDateTime(now),
    Destination: destination,
    ...more,
  };
  return element(`samlp:${name}`, attributes, element('saml:Issuer', {}, escapeXml(issuer)) + body);
}

/** One element; `inner` is XML already. Attributes that are `undefined` are left out. */
export function element(name: string, attributes: Attributes, inner = ''): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([attribute, value]) => ` ${attribute}="${escapeXml(String(value))}"`);
  return `<${name}${written.join('')}${inner === '' ? '/>' : `>${inner}</${name}>`}`;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Control characters as references: they would be changed in attributes, and are not XML otherwise. */
export const escapeXml = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  text.replace(/[&<>"\x00-\x1f]/g, (one) => ESCAPES[one] ?? `&#${one.charCodeAt(0)};`);
