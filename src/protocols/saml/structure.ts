/**
 * Where assertions and signatures may stand. Signature wrapping (XSW) moves what was signed to a place that is
 * checked and not read, and puts something else where it is read; here there is one place for an assertion, one
 * for each signature, and each signs exactly what it stands in, so that no second place is left. Whatever a
 * careless reader could take for one of them by its local name, an ID or an attribute counts, whatever its
 * namespace.
 */
import { Refusal } from '../../core/reason.ts';
import { checkSignatureShape } from './signature-shape.ts';
import { ASSERTION, DSIG } from './uris.ts';
import { childOf, childrenOf, is, type XmlElement } from './xml-tree.ts';

const MESSAGES: ReadonlySet<string> = new Set(['Response', 'LogoutRequest', 'LogoutResponse', 'AuthnRequest']);
const ASSERTIONS: ReadonlySet<string> = new Set(['Assertion', 'EncryptedAssertion']);

/** xs:NCName, in ASCII; a safe part of keys and of expressions. */
const ID = /^[A-Za-z_][A-Za-z0-9_.-]{0,255}$/;

/** Checks a message, or a decrypted assertion, as a whole. Throws `Refusal`. */
export function checkStructure(root: XmlElement): void {
  const ids = new Set<string>();

  function visit(element: XmlElement, parent: XmlElement | undefined): void {
    if (element.ids.length > 1) wrong('an element with two IDs');
    for (const id of element.ids) {
      if (!ID.test(id)) throw new Refusal('saml_malformed', 'an ID that is no NCName');
      if (ids.has(id)) wrong('an ID that stands twice');
      ids.add(id);
    }
    if (parent && MESSAGES.has(element.name)) wrong(`a nested ${element.name}`);
    if (ASSERTIONS.has(element.name)) checkAssertionPlace(element, parent);
    if (element.name === 'Signature') checkSignaturePlace(element, parent);
    if (element.name === 'SignedInfo' && !(parent && is(parent, DSIG, 'Signature'))) wrong('SignedInfo on its own');
    for (const child of element.children) visit(child, element);
  }

  function checkAssertionPlace(element: XmlElement, parent: XmlElement | undefined): void {
    if (element.namespace !== ASSERTION) wrong(`${element.name} of another namespace`);
    if (parent && (parent !== root || parent.name !== 'Response')) wrong(`${element.name} outside of the Response`);
  }

  function checkSignaturePlace(element: XmlElement, parent: XmlElement | undefined): void {
    if (element.namespace !== DSIG) wrong('Signature of another namespace');
    const signs = parent === root || (parent !== undefined && is(parent, ASSERTION, 'Assertion'));
    if (!parent || !signs) wrong('Signature outside of what it signs');
    if (signatureOf(parent) !== element) wrong('two Signatures in one element');
    checkSignatureShape(element, parent);
  }

  if (!root.attributes.has('ID')) throw new Refusal('saml_malformed', `${root.name} has no ID`);
  visit(root, undefined);
  if (assertionsOf(root).length > 1) wrong('more than one assertion');
}

/** The assertions of a response, encrypted ones too. */
export const assertionsOf = (response: XmlElement): XmlElement[] => [
  ...childrenOf(response, ASSERTION, 'Assertion'),
  ...childrenOf(response, ASSERTION, 'EncryptedAssertion'),
];

/** The signature of a message or an assertion. */
export const signatureOf = (element: XmlElement): XmlElement | undefined => childOf(element, DSIG, 'Signature');

function wrong(detail: string): never {
  throw new Refusal('saml_structure_refused', detail);
}
