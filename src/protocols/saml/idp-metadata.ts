import { X509Certificate } from 'node:crypto';
import type { Instant } from '../../core/time.ts';
import { keyFault } from '../../keys/key-kind.ts';
import { parseDateTime } from './instant.ts';
import type { SamlBinding, SamlProvider } from './settings.ts';
import { BINDINGS, DSIG, METADATA, PROTOCOL } from './uris.ts';
import { childrenOf, is, parseXml, type XmlElement } from './xml-tree.ts';

export type ParsedMetadata =
  | { readonly ok: true; readonly provider: SamlProvider; readonly notices: string[] }
  | { readonly ok: false; readonly message: string; readonly remedy: string };

/** Characters; a whole federation's file is larger and is not what is wanted here. */
export const LARGEST_METADATA = 1024 * 1024;

/** Seconds before `validUntil` from which on it is worth a notice. */
const SOON = 14 * 86_400;

const ASK = 'Ask the provider for its metadata file.';

class Fault extends Error {
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

/**
 * The metadata of one identity provider (SAML Metadata §2.3 and §2.4.3) → what is needed of it, or what is wrong.
 * Its signature is not looked at: the file is the operator's own. Notices are for the operator and refuse nothing.
 */
export function parseIdpMetadata(xml: string, now: Instant): ParsedMetadata {
  try {
    return { ok: true, ...readProvider(rootOf(xml), now) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { ok: false, message: error.message, remedy: error.remedy };
  }
}

/** Comments and style sheets are usual in files that people edit, and nothing is signed here that they could cut. */
function rootOf(xml: string): XmlElement {
  if (xml.length > LARGEST_METADATA)
    throw new Fault('is larger than 1 MiB', 'Keep the one EntityDescriptor that is meant.');
  const text = xml.replace(/^\ufeff/, '').replace(/<!--[\s\S]*?-->|<\?(?!xml\s)[^>]*\?>/g, '');
  const parsed = parseXml(text.trim());
  if (!parsed.ok) throw new Fault(`is not plain XML: ${parsed.fault}`, ASK);
  return parsed.root;
}

function readProvider(root: XmlElement, now: Instant): { provider: SamlProvider; notices: string[] } {
  const notices: string[] = [];
  const [entity, role] = findProvider(root, now, notices);
  const entityId = entity.attributes.get('entityID')?.trim();
  if (!entityId) throw new Fault('has no entityID', ASK);
  const signOn = pickEndpoint(role, 'SingleSignOnService');
  if (!signOn) throw new Fault('has no SingleSignOnService for the redirect or POST binding', ASK);
  const { url, binding } = signOn;
  const logout = pickEndpoint(role, 'SingleLogoutService');
  const certificates = readCertificates(role, now, notices);
  return { provider: { entityId, signOn: { url, binding }, ...(logout && { logout }), certificates }, notices };
}

/** The one identity provider, and its one role of SAML 2.0. */
function findProvider(root: XmlElement, now: Instant, notices: string[]): [entity: XmlElement, role: XmlElement] {
  const found: [XmlElement, XmlElement][] = [];

  function visit(element: XmlElement): void {
    if (is(element, METADATA, 'EntitiesDescriptor')) for (const child of element.children) visit(child);
    else if (is(element, METADATA, 'EntityDescriptor')) {
      for (const role of childrenOf(element, METADATA, 'IDPSSODescriptor'))
        if (speaksSaml2(role)) found.push([element, role]);
    }
  }

  visit(root);
  const [one, another] = found;
  if (!one) throw new Fault('describes no SAML 2.0 identity provider (IDPSSODescriptor)', ASK);
  if (another)
    throw new Fault('describes more than one identity provider', 'Keep the one EntityDescriptor that is meant.');
  for (const element of [root, ...one]) checkValidity(element, now, notices);
  return one;
}

const speaksSaml2 = (role: XmlElement): boolean =>
  (role.attributes.get('protocolSupportEnumeration') ?? '').split(/\s+/).includes(PROTOCOL);

function checkValidity({ attributes }: XmlElement, now: Instant, notices: string[]): void {
  const text = attributes.get('validUntil');
  if (text === undefined) return;
  const until = parseDateTime(text);
  if (until === undefined) throw new Fault('has a validUntil that is no time in UTC', ASK);
  const day = text.slice(0, 10);
  if (until <= now) throw new Fault(`was valid until ${day}`, 'Fetch it from the provider again.');
  const notice = `it is valid until ${day}`;
  if (until - now < SOON && !notices.includes(notice)) notices.push(notice);
}

type Endpoint = { readonly url: string; readonly binding: SamlBinding; readonly responseUrl?: string };

/** Redirect before POST: it needs no page in between. */
function pickEndpoint(role: XmlElement, name: string): Endpoint | undefined {
  const endpoints = childrenOf(role, METADATA, name);
  for (const binding of ['redirect', 'post'] as const) {
    const found = endpoints.find(({ attributes }) => attributes.get('Binding') === BINDINGS[binding]);
    const url = found?.attributes.get('Location')?.trim();
    if (!url) continue;
    const responseUrl = found?.attributes.get('ResponseLocation')?.trim();
    return { url, binding, ...(responseUrl && { responseUrl }) };
  }
  return undefined;
}

/** Those for signing, and those without a `use`, which are for both (SAML Metadata §2.4.1.1). */
function readCertificates(role: XmlElement, now: Instant, notices: string[]): string[] {
  const found = new Set<string>();
  const faults: string[] = [];
  for (const descriptor of childrenOf(role, METADATA, 'KeyDescriptor')) {
    if ((descriptor.attributes.get('use') ?? 'signing') !== 'signing') continue;
    for (const base64 of certificatesIn(descriptor)) {
      const certificate = readCertificate(base64);
      const fault = certificate ? keyFault(certificate.publicKey, 'RS256') : 'it cannot be read';
      if (!certificate || fault) faults.push(`a signing certificate is of no use: ${fault}`);
      else if (!found.has(certificate.toString())) {
        found.add(certificate.toString());
        const { validToDate } = certificate;
        const day = validToDate.toISOString().slice(0, 10);
        if (validToDate.getTime() / 1000 < now) notices.push(`a signing certificate expired on ${day}`);
      }
    }
  }
  if (found.size === 0) throw new Fault(faults[0] ?? 'has no signing certificate', ASK);
  notices.push(...faults);
  return [...found];
}

function certificatesIn(descriptor: XmlElement): string[] {
  const data = childrenOf(descriptor, DSIG, 'KeyInfo').flatMap((info) => childrenOf(info, DSIG, 'X509Data'));
  return data.flatMap((one) => childrenOf(one, DSIG, 'X509Certificate')).map(({ text }) => text);
}

function readCertificate(base64: string): X509Certificate | undefined {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64'));
  } catch {
    return undefined;
  }
}
