import { inflateRawSync } from 'node:zlib';
import { Refusal } from '../../core/reason.ts';
import { parseXml, type XmlElement } from './xml-tree.ts';

/** A message as it came in: its XML, and the same as elements. */
export type Message = { readonly text: string; readonly root: XmlElement };

/** Bytes of XML, after base64 and inflating. */
export const LARGEST_MESSAGE = 256 * 1024;

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The value of a form field of the POST binding (SAML Bindings §3.5.4) → the message. Throws `Refusal`. */
export const readPosted = (value: string): Message => readBytes(decode(value));

/** The value of a query parameter of the redirect binding, DEFLATE encoding (§3.4.4.1) → the message. Throws `Refusal`. */
export function readRedirected(value: string): Message {
  let bytes: Buffer;
  try {
    bytes = inflateRawSync(decode(value), { maxOutputLength: LARGEST_MESSAGE });
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal('saml_malformed', 'not DEFLATE, or too large');
  }
  return readBytes(bytes);
}

/** XML from a trusted step of ours (decrypted, or verified) → the same as elements. Throws `Refusal`. */
export function readText(text: string): Message {
  const parsed = parseXml(text);
  if (!parsed.ok) throw new Refusal('saml_malformed', parsed.fault);
  return { text, root: parsed.root };
}

/** Line breaks are usual in base64 of the POST binding (RFC 2045 §6.8). */
function decode(value: string): Buffer {
  if (value.length > LARGEST_MESSAGE * 1.5) throw new Refusal('saml_malformed', 'too large');
  const base64 = value.replace(/[\r\n\t ]+/g, '');
  if (!BASE64.test(base64)) throw new Refusal('saml_malformed', 'not base64');
  return Buffer.from(base64, 'base64');
}

function readBytes(bytes: Buffer): Message {
  if (bytes.length > LARGEST_MESSAGE) throw new Refusal('saml_malformed', 'too large');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal('saml_malformed', 'not UTF-8');
  }
  return readText(text);
}
