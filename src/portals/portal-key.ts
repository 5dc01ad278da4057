import { createPrivateKey, type JsonWebKey } from 'node:crypto';
import { hmacSecretFault } from '../keys/hmac.ts';
import { type Algorithm, isHmac } from '../keys/keys.ts';
import { privateKeyFault, type SigningKey } from '../keys/signer.ts';
import type { PortalPreset } from './preset.ts';
import { algorithmFamily, type KeyRule } from './preset-token.ts';

/**
 * Why the text that an operator keeps for a portal (a secret, or a private key) cannot sign its tokens with this
 * algorithm, or verify the requests that it signs; `undefined` when it can.
 */
export function portalKeyFault(preset: PortalPreset, algorithm: Algorithm, text: Buffer): string | undefined {
  const { title, token, authn_request: request } = preset;
  const rule = token.keys[algorithmFamily(algorithm)];
  const read = rule && readText(rule, text);
  if (rule === undefined || read === undefined) {
    return rule && `the key is not ${rule.encoding}, which ${title} reads it as`;
  }
  if (!isHmac(algorithm)) return privateKeyFault(read.toString('utf8'), algorithm);
  const requestAlgorithms = request.encoding === 'signed_jwt' ? request.algs : [];
  const fault = hmacSecretFault([algorithm, ...requestAlgorithms], read);
  if (fault) return fault;
  const wanted = rule.min_bytes ?? 0;
  return read.length < wanted ? `the secret has ${read.length} bytes; ${title} wants at least ${wanted}` : undefined;
}

/** A portal's secret as it signs with it: decoded where the portal decodes it. Throws `Error` for one that is not. */
export function decodeSecret(preset: PortalPreset, secret: Buffer): Buffer {
  const { HS: rule } = preset.token.keys;
  const read = rule ? readText(rule, secret) : secret;
  if (!read) throw new Error(`the secret of ${preset.title} is not ${rule?.encoding}`);
  return read;
}

/** What routes.yaml holds → what the signer takes: decoded, and private keys in PEM. Throws `Error`. */
export function readSigningKey(preset: PortalPreset, algorithm: Algorithm, key: SigningKey): SigningKey {
  if ('secret' in key) return { secret: decodeSecret(preset, key.secret) };
  const rule = preset.token.keys[algorithmFamily(algorithm)];
  const read = rule ? readText(rule, Buffer.from(key.privateKeyPem)) : undefined;
  if (!read) throw new Error(`the private key for ${preset.title} is not ${rule?.encoding ?? 'asked for'}`);
  return { privateKeyPem: read.toString('utf8') };
}

function readText({ encoding }: KeyRule, text: Buffer): Buffer | undefined {
  if (encoding === 'base64') return fromBase64(text.toString('latin1'));
  // A key that the router made is PEM, however the portal writes its own.
  if (encoding !== 'jwk' || text.includes('-----BEGIN ')) return text;
  try {
    const key = createPrivateKey({ key: JSON.parse(text.toString('utf8')) as JsonWebKey, format: 'jwk' });
    return Buffer.from(key.export({ type: 'pkcs8', format: 'pem' }));
  } catch {
    return undefined;
  }
}

/** RFC 4648 §4 and §5, with and without padding; nothing else, since Node's decoder skips what it does not know. */
function fromBase64(text: string): Buffer | undefined {
  const digits = text
    .replace(/={1,2}$/, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/');
  const bytes = Buffer.from(digits, 'base64');
  return digits !== '' && bytes.toString('base64').replace(/=+$/, '') === digits ? bytes : undefined;
}
