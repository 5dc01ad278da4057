/** Answers of a provider that are well-formed HTTP and JSON, and still no good. */
import { generateKeyPairSync } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { idTokenClaims, okJson, PUBLIC_KEY, signEs256, tokenAnswer } from './honest-provider.ts';

const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Of the token endpoint, by the login's nonce. */
export const TOKENS: Readonly<Record<string, (nonce: string) => string>> = {
  'huge-id-token': () => tokenAnswer('a'.repeat(200_000)),
  'huge-claim': (nonce) => tokenAnswer(signEs256({ ...idTokenClaims(nonce), more: 'x'.repeat(100_000) })),
  'ten-thousand-claims': (nonce) => {
    const more = Object.fromEntries(many(10_000, (index) => [`c${index}`, index]));
    return tokenAnswer(signEs256({ ...idTokenClaims(nonce), ...more }));
  },
  'deep-claim': (nonce) => {
    const deep = `{"deep":${'['.repeat(5_000)}${']'.repeat(5_000)},`;
    return tokenAnswer(signEs256(deep + JSON.stringify(idTokenClaims(nonce)).slice(1)));
  },
  'id-token-in-a-list': () => '{"access_token":"x","token_type":"Bearer","id_token":["a"]}',
  'access-token-with-line-end': (nonce) =>
    JSON.stringify({ access_token: 'x\r\nx: y', token_type: 'Bearer', id_token: signEs256(idTokenClaims(nonce)) }),
};

const rsa = (modulusLength: number) =>
  generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' });
const ec = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const keySet = (...keys: readonly unknown[]): string => okJson(JSON.stringify({ keys }));
const zipped = gzipSync(JSON.stringify({ keys: [PUBLIC_KEY], more: 'x'.repeat(300 * 1024 * 1024) }), { level: 9 });

/** Of the address of its keys: none of them holds a key that could verify its id_tokens. */
export const KEYS: Readonly<Record<string, string | Buffer>> = {
  bomb: Buffer.concat([
    Buffer.from(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${zipped.length}\r\n\r\n`,
    ),
    zipped,
  ]),
  oct: keySet({ kty: 'oct', k: Buffer.alloc(64, 1).toString('base64url'), kid: 'one', alg: 'HS256' }),
  private: keySet({ ...PUBLIC_KEY, d: Buffer.alloc(32, 1).toString('base64url') }),
  'rsa-512': keySet({ ...rsa(512), kid: 'one' }),
  'kid-twice': keySet(PUBLIC_KEY, { ...ec(), kid: 'one' }),
  'not-on-the-curve': keySet({ ...PUBLIC_KEY, x: Buffer.alloc(32, 7).toString('base64url') }),
  'ten-thousand-keys': keySet(...many(10_000, (index) => ({ kty: 'EC', kid: `k${index}` }))),
  page: okJson('<!doctype html><h1>Sign in</h1>'),
  'keys-as-object': okJson('{"keys":{"0":{}}}'),
};
