import { Refusal } from '../../core/reason.ts';
import { DSIG, ENVELOPED, EXCLUSIVE_C14N, RSA_PSS_SHA256, RSA_SHA256, RSA_SHA512, SHA256, SHA512 } from './uris.ts';
import { is, type XmlElement } from './xml-tree.ts';

/** Without SHA-1 (RFC 9231 §2.3 and NIST SP 800-131A), and no HMAC, whose key anybody could read in the metadata. */
const SIGNATURE_METHODS: ReadonlySet<string> = new Set([RSA_SHA256, RSA_SHA512, RSA_PSS_SHA256]);
const DIGEST_METHODS: ReadonlySet<string> = new Set([SHA256, SHA512]);

/**
 * Whether a Signature has the one shape that SAML Core §5.4 leaves: it signs the whole element that it stands in, by
 * that element's ID, with exclusive canonicalization, and holds nothing besides. Throws `Refusal`.
 *
 * A signature of this shape covers all of its parent, so that there is nothing unsigned in it to be taken for signed.
 */
export function checkSignatureShape(signature: XmlElement, parent: XmlElement): void {
  const [signedInfo, value] = exactly(signature, ['SignedInfo', 'SignatureValue'], 'KeyInfo');
  const [canonicalization, method, reference] = exactly(signedInfo, [
    'CanonicalizationMethod',
    'SignatureMethod',
    'Reference',
  ]);
  exactly(value, []);
  exactly(method, []);
  allowed(canonicalization, new Set([EXCLUSIVE_C14N]));
  allowed(method, SIGNATURE_METHODS);

  const [transforms, digestMethod, digestValue] = exactly(reference, ['Transforms', 'DigestMethod', 'DigestValue']);
  exactly(digestMethod, []);
  exactly(digestValue, []);
  allowed(digestMethod, DIGEST_METHODS);
  if (reference.attributes.get('URI') !== `#${parent.attributes.get('ID')}`) wrong('a Reference to something else');
  const steps = transforms.children.map((transform) => is(transform, DSIG, 'Transform') && algorithmOf(transform));
  if (steps.length !== 2 || steps[0] !== ENVELOPED || steps[1] !== EXCLUSIVE_C14N) wrong('other Transforms');
}

/** The children of an element of XML Signature: these, in this order, once each, and perhaps a last one. */
function exactly<Names extends readonly string[]>(
  element: XmlElement,
  names: readonly [...Names],
  last?: string,
): { [Index in keyof Names]: XmlElement } {
  const found = element.children.filter((child, index) => is(child, DSIG, names[index] ?? last ?? ''));
  const most = names.length + (last === undefined ? 0 : 1);
  if (found.length !== element.children.length || found.length < names.length || found.length > most)
    wrong(`${element.name} with other contents`);
  return found as { [Index in keyof Names]: XmlElement };
}

const algorithmOf = (element: XmlElement): string => element.attributes.get('Algorithm') ?? '';

function allowed(element: XmlElement, algorithms: ReadonlySet<string>): void {
  const algorithm = algorithmOf(element);
  if (!algorithms.has(algorithm)) {
    const shown = algorithm.replace(/[^\x21-\x7e]/g, '?').slice(0, 80);
    throw new Refusal('saml_algorithm_not_allowed', `${element.name} ${shown}`);
  }
}

function wrong(detail: string): never {
  throw new Refusal('saml_structure_refused', `Signature: ${detail}`);
}
