import { Refusal } from '../../core/reason.ts';
import { type Message, readText } from './read-message.ts';
import { checkStructure } from './structure.ts';
import { ASSERTION, DSIG, XENC, XENC11 } from './uris.ts';
import { is, type XmlElement } from './xml-tree.ts';

/**
 * What a key, and what an assertion may be encrypted with. RSA with PKCS #1 v1.5 padding is not among them
 * (Bleichenbacher; XML Encryption 1.1 §5.5.1), nor is Triple DES. SHA-1 stands inside of RSA-OAEP, where its collisions
 * do not matter.
 */
const KEY_METHODS: ReadonlySet<string> = new Set([`${XENC}rsa-oaep-mgf1p`]);
const DATA_METHODS: ReadonlySet<string> = new Set([
  `${XENC}aes128-cbc`,
  `${XENC}aes256-cbc`,
  `${XENC11}aes128-gcm`,
  `${XENC11}aes256-gcm`,
]);
const OAEP_DIGEST = `${DSIG}sha1`;

/** Each part once, so that there is no choice of which to decrypt with which. */
const PARTS = { EncryptedData: 1, EncryptedKey: 1, EncryptionMethod: 2, CipherData: 2, CipherValue: 2 };

/**
 * The one encrypted assertion of a response, decrypted and checked as if it had come in the clear (SAML Core §6).
 * Throws `Refusal`; whatever fails in decrypting has one reason, so that nobody can ask a question of the key.
 */
export async function decryptAssertion(response: Message, privateKey: string | undefined): Promise<Message> {
  checkParts(response.root);
  if (privateKey === undefined)
    throw new Refusal('saml_decryption_failed', 'encrypted, and there is no decryption key');
  let assertion: Message;
  try {
    assertion = readText(await decrypt(response.text, privateKey));
  } catch {
    throw new Refusal('saml_decryption_failed');
  }
  if (!is(assertion.root, ASSERTION, 'Assertion'))
    throw new Refusal('saml_structure_refused', 'not an Assertion inside');
  checkStructure(assertion.root);
  return assertion;
}

async function decrypt(text: string, key: string): Promise<string> {
  const { default: encryption } = await import('xml-encryption');
  const options = { key, disallowDecryptionWithInsecureAlgorithm: true, warnInsecureAlgorithm: false };
  return new Promise((resolve, reject) => {
    encryption.decrypt(text, options, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

function checkParts(response: XmlElement): void {
  const count = new Map<string, number>();

  function visit(element: XmlElement, parent: XmlElement): void {
    const { name, attributes } = element;
    count.set(name, (count.get(name) ?? 0) + 1);
    const algorithm = attributes.get('Algorithm') ?? '';
    if (name === 'EncryptionMethod') {
      const methods = parent.name === 'EncryptedKey' ? KEY_METHODS : DATA_METHODS;
      if (!methods.has(algorithm))
        throw new Refusal('saml_algorithm_not_allowed', `${parent.name} ${plain(algorithm)}`);
    }
    if (name === 'DigestMethod' && parent.name === 'EncryptionMethod' && algorithm !== OAEP_DIGEST)
      throw new Refusal('saml_algorithm_not_allowed', `RSA-OAEP with ${plain(algorithm)}`);
    if (name === 'RetrievalMethod' && !/^#[\w.-]+$/.test(attributes.get('URI') ?? ''))
      throw new Refusal('saml_structure_refused', 'RetrievalMethod of something else');
    for (const child of element.children) visit(child, element);
  }

  visit(response, response);
  for (const [name, times] of Object.entries(PARTS)) {
    if (count.get(name) !== times) throw new Refusal('saml_structure_refused', `${name} not exactly ${times} times`);
  }
}

const plain = (text: string): string => text.replace(/[^\x21-\x7e]/g, '?').slice(0, 80);
