import { generateKeyPairSync, type KeyPairKeyObjectResult, sign } from 'node:crypto';

/** A key with its self-signed certificate, all of it PEM. */
export type SelfSigned = { readonly key: string; readonly certificate: string };

/** An RSA key of 2048 bits or another one, and a certificate for it (X.509 v1, RFC 5280 §4.1) with these dates. */
export function selfSigned({
  pair = generateKeyPairSync('rsa', { modulusLength: 2048 }),
  from = '20200101000000Z',
  to = '21200101000000Z',
}: {
  readonly pair?: KeyPairKeyObjectResult;
  readonly from?: string;
  readonly to?: string;
} = {}): SelfSigned {
  const algorithm = pair.privateKey.asymmetricKeyType === 'rsa' ? RSA_SHA256 : ECDSA_SHA256;
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from('test')))));
  const dates = sequence(der(0x18, Buffer.from(from)), der(0x18, Buffer.from(to)));
  const key = pair.publicKey.export({ type: 'spki', format: 'der' });
  const content = sequence(der(0x02, Buffer.of(1)), algorithm, name, dates, name, key);
  const signature = Buffer.concat([Buffer.of(0), sign('sha256', content, pair.privateKey)]);
  const bytes = sequence(content, algorithm, der(0x03, signature));
  const lines = bytes.toString('base64').replace(/.{64}/g, '$&\n');
  return {
    key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

const RSA_SHA256 = Buffer.from('300d06092a864886f70d01010b0500', 'hex');
const ECDSA_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');

/** Tag, length, content (X.690 §8.1). */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, Buffer.concat(parts));
