import type { Claims, ClaimValue } from '../../core/environment.ts';
import { type ClaimSources, mapClaims } from '../claim-sources.ts';
import type { SamlSession } from './session.ts';
import { ASSERTION, EMAIL_FORMAT } from './uris.ts';
import { childOf, childrenOf, type XmlElement } from './xml-tree.ts';

/** How a mapping names the subject itself. */
const NAME_ID = 'name_id';

/** Where providers put an email, unless the operator says where: its OID (RFC 4524 §2.16) and the usual names. */
const EMAIL_ATTRIBUTES = [
  'urn:oid:0.9.2342.19200300.100.1.3',
  'mail',
  'email',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
];

/** What a verified assertion says about the person: its attributes by Name, and the NameID, mapped to claims. */
export function claimsOf(assertion: XmlElement, attributes: ClaimSources): Claims {
  const nameId = nameIdOf(assertion);
  // A Name may be `__proto__`; without a prototype it is an attribute like any other.
  const said: Record<string, ClaimValue> = Object.create(null);
  for (const [name, values] of attributeValues(assertion)) {
    const [first = '', ...more] = values;
    said[name] = more.length === 0 ? first : values;
  }
  if (nameId) said[NAME_ID] = nameId.text;
  else delete said[NAME_ID];
  return mapClaims(said, attributes.has('email') ? attributes : new Map([...attributes, usualEmail(nameId)]));
}

const usualEmail = (nameId: XmlElement | undefined): [string, readonly string[]] => [
  'email',
  nameId?.attributes.get('Format') === EMAIL_FORMAT ? [...EMAIL_ATTRIBUTES, NAME_ID] : EMAIL_ATTRIBUTES,
];

/** What is needed to end the provider's session later; `undefined` when the provider named nobody. */
export function sessionOf(assertion: XmlElement): SamlSession | undefined {
  const nameId = nameIdOf(assertion);
  if (!nameId) return undefined;
  const [index] = childrenOf(assertion, ASSERTION, 'AuthnStatement').flatMap(
    ({ attributes }) => attributes.get('SessionIndex') ?? [],
  );
  const { attributes } = nameId;
  return {
    nameId: nameId.text,
    format: attributes.get('Format'),
    nameQualifier: attributes.get('NameQualifier'),
    spNameQualifier: attributes.get('SPNameQualifier'),
    index,
  };
}

/** White space around it is not part of it: XML editors and templates leave it there. */
function nameIdOf(assertion: XmlElement): XmlElement | undefined {
  const subject = childOf(assertion, ASSERTION, 'Subject');
  const nameId = subject && childOf(subject, ASSERTION, 'NameID');
  const text = nameId?.text.trim();
  return nameId && text && nameId.children.length === 0 ? { ...nameId, text } : undefined;
}

/** Values that are plain text and not empty, by attribute Name; an attribute may stand in several pieces. */
function attributeValues(assertion: XmlElement): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const statement of childrenOf(assertion, ASSERTION, 'AttributeStatement')) {
    for (const attribute of childrenOf(statement, ASSERTION, 'Attribute')) {
      const name = attribute.attributes.get('Name');
      const values = childrenOf(attribute, ASSERTION, 'AttributeValue')
        .filter(({ children, text }) => children.length === 0 && text.trim() !== '')
        .map(({ text }) => text.trim());
      if (name && values.length > 0) found.set(name, [...(found.get(name) ?? []), ...values]);
    }
  }
  return found;
}
