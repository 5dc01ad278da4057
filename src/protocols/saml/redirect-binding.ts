import { constants, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { Refusal } from '../../core/reason.ts';
import type { Answer } from '../delegate.ts';
import { RSA_SHA256, RSA_SHA512 } from './uris.ts';

export type MessageParam = 'SAMLRequest' | 'SAMLResponse';

/**
 * A message in an address (SAML Bindings §3.4.4.1): DEFLATE, base64, and with a key an rsa-sha256 signature over the
 * parameters as they stand there.
 */
export function redirectUrl(
  address: string,
  param: MessageParam,
  xml: string,
  relayState: string | undefined,
  privateKey: string | undefined,
): string {
  let query = `${param}=${encodeURIComponent(deflateRawSync(xml).toString('base64'))}`;
  if (relayState !== undefined) query += `&RelayState=${encodeURIComponent(relayState)}`;
  if (privateKey !== undefined) {
    query += `&SigAlg=${encodeURIComponent(RSA_SHA256)}`;
    query += `&Signature=${encodeURIComponent(sign('sha256', Buffer.from(query), privateKey).toString('base64'))}`;
  }
  const separator = !address.includes('?') ? '?' : /[?&]$/.test(address) ? '' : '&';
  return `${address}${separator}${query}`;
}

/** Whether a message came by this binding: with its signature beside it, or not as XML in base64. */
export function cameByRedirect(answer: Answer, param: MessageParam): boolean {
  if (answer.has('Signature') || answer.has('SigAlg')) return true;
  const start = Buffer.from((answer.get(param) ?? '').slice(0, 40), 'base64')
    .toString('latin1')
    .trimStart();
  return start !== '' && !/^(?:\xef\xbb\xbf)?</.test(start);
}

const HASHES: ReadonlyMap<string, string> = new Map([
  [RSA_SHA256, 'sha256'],
  [RSA_SHA512, 'sha512'],
]);

/** Checks the signature of a message that came in an address. Throws `Refusal`. */
export function verifyRedirect(answer: Answer, param: MessageParam, certificates: readonly string[]): void {
  const value = answer.get('Signature');
  if (!value) throw new Refusal('saml_signature_missing', `${param} by redirect`);
  const algorithm = answer.get('SigAlg') ?? '';
  const hash = HASHES.get(algorithm);
  if (!hash)
    throw new Refusal('saml_algorithm_not_allowed', `SigAlg ${algorithm.replace(/[^\x21-\x7e]/g, '?').slice(0, 80)}`);
  const signature = Buffer.from(value, 'base64');
  const inputs = signedInputs(answer, param);
  const keys = certificates.map((pem) => createPublicKey(pem)).filter((key) => key.asymmetricKeyType === 'rsa');
  if (!keys.some((key) => inputs.some((input) => fits(hash, input, key, signature))))
    throw new Refusal('saml_signature_invalid', `${param} by redirect`);
}

const fits = (hash: string, input: string, key: KeyObject, signature: Buffer): boolean =>
  verify(hash, Buffer.from(input), { key, padding: constants.RSA_PKCS1_PADDING }, signature);

/**
 * What may have been signed. The signature is over the parameters in the sender's own percent-encoding (§3.4.4.1),
 * and they arrive here decoded: they are encoded again in the ways that are in use, which are RFC 3986 and HTML forms,
 * with hex digits in capitals and in small letters (.NET). Values are the same in all of them, and so is what is read.
 */
function signedInputs(answer: Answer, param: MessageParam): string[] {
  const names = [param, 'RelayState', 'SigAlg'].filter((name) => answer.has(name));
  const inputs = ENCODINGS.map((encode) => names.map((name) => `${name}=${encode(answer.get(name) ?? '')}`).join('&'));
  return [...new Set(inputs)];
}

const escapeAs = (text: string, odd: RegExp): string =>
  encodeURIComponent(text).replace(odd, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
const rfc3986 = (text: string): string => escapeAs(text, /[!'()*]/g);
const form = (text: string): string => escapeAs(text, /[!'()~]/g).replaceAll('%20', '+');
const small = (text: string): string => text.replace(/%[0-9A-F]{2}/g, (one) => one.toLowerCase());

const ENCODINGS: readonly ((text: string) => string)[] = [
  encodeURIComponent,
  rfc3986,
  form,
  (text) => small(encodeURIComponent(text)),
  (text) => small(rfc3986(text)),
  (text) => small(form(text)),
];
