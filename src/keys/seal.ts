/**
 * Sealing: AES-256-GCM (NIST SP 800-38D) around small texts that travel through browsers.
 *
 * Sealed bytes, in base64url: key id (4) · day since 1970 (2) · nonce (12) · ciphertext · tag (16).
 * Every purpose and every day has a key of its own, derived by HKDF (RFC 5869), so one key stays far below the
 * 2^32 messages that random 96-bit nonces allow (SP 800-38D §8.3). Id and day need no further protection: they
 * choose the key, and under another key nothing opens.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Sealer } from './keys.ts';
import type { RandomBytes } from './random.ts';
import { SEAL_KEY_BYTES } from './seal-key.ts';

const ID_BYTES = 4;
const NONCE_AT = ID_BYTES + 2;
const NONCE_BYTES = 12;
const TEXT_AT = NONCE_AT + NONCE_BYTES;
const TAG_BYTES = 16;
const SECONDS_PER_DAY = 86_400;

/** Characters; nothing that we seal comes near it, and a longer text is refused before it costs anything. */
const MAX_SEALED = 16 * 1024;

/** Derived keys kept at hand for each seal key. Days are read from foreign text, so the number has to be bounded. */
const MAX_DERIVED = 256;

type SealKey = { readonly id: Buffer; readonly secret: KeyObject; readonly derived: Map<string, KeyObject> };

/**
 * `keys`: 32 bytes or more each, newest first. The newest seals, all of them open. Throws an `Error` for an
 * empty list or a short key. What is sealed has to be well-formed Unicode.
 */
export function openSealer(keys: readonly Buffer[], randomBytes: RandomBytes): Sealer {
  const sealKeys = keys.map(prepare);
  const [newest] = sealKeys;
  if (!newest) throw new Error('no seal key');

  function keyFor({ secret, derived }: SealKey, purpose: string, day: number): KeyObject {
    const info = `day ${day} ${purpose}`;
    let key = derived.get(info);
    if (!key) {
      if (derived.size >= MAX_DERIVED) derived.clear();
      key = createSecretKey(derive(secret, info, 32));
      derived.set(info, key);
    }
    return key;
  }

  return {
    seal(bound, text, now) {
      const day = Math.floor(now / SECONDS_PER_DAY);
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keyFor(newest, purposeOf(bound), day), nonce);
      cipher.setAAD(encodeBound(bound));
      const head = Buffer.allocUnsafe(TEXT_AT);
      newest.id.copy(head);
      head.writeUInt16BE(day, ID_BYTES);
      nonce.copy(head, NONCE_AT);
      const body = cipher.update(text, 'utf8');
      cipher.final();
      return Buffer.concat([head, body, cipher.getAuthTag()]).toString('base64url');
    },

    open(bound, sealed) {
      if (sealed.length > MAX_SEALED) return undefined;
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < TEXT_AT + TAG_BYTES || bytes.toString('base64url') !== sealed) return undefined;
      const sealKey = sealKeys.find(({ id }) => bytes.compare(id, 0, ID_BYTES, 0, ID_BYTES) === 0);
      if (!sealKey) return undefined;
      const key = keyFor(sealKey, purposeOf(bound), bytes.readUInt16BE(ID_BYTES));
      const nonce = bytes.subarray(NONCE_AT, TEXT_AT);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(encodeBound(bound)).setAuthTag(bytes.subarray(-TAG_BYTES));
      const text = decipher.update(bytes.subarray(TEXT_AT, -TAG_BYTES));
      try {
        decipher.final();
        return text.toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}

function prepare(key: Buffer): SealKey {
  if (key.length < SEAL_KEY_BYTES)
    throw new Error(`a seal key has ${key.length} bytes; it needs at least ${SEAL_KEY_BYTES}`);
  const secret = createSecretKey(key);
  return { id: derive(secret, 'id', ID_BYTES), secret, derived: new Map() };
}

const derive = (secret: KeyObject, info: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, '', `wayhome seal 1 ${info}`, bytes));

const purposeOf = (bound: readonly string[]): string => bound[0] ?? '';

/**
 * One text for one list: each part behind its length, in UTF-16, so that no two lists look alike, not even where
 * they hold lone surrogates.
 */
function encodeBound(bound: readonly string[]): Buffer {
  let text = '';
  for (const part of bound) text += `${part.length}:${part}`;
  return Buffer.from(text, 'utf16le');
}
