import { generateKeyPairSync, sign } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Asked } from './garbage-server.ts';

/** Of every provider of these tests. */
export const ISSUER = 'https://id.acme.test';

const KEYS = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The public half of what `idToken` signs with, as a member of a JWK Set. */
export const PUBLIC_KEY = { ...KEYS.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'ES256' };

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Signed ES256 with a key that is nobody else's. */
export function signEs256(claims: unknown, header: Readonly<Record<string, unknown>> = {}): string {
  const input = `${encode({ alg: 'ES256', kid: 'one', ...header })}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(input), { key: KEYS.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

/** The claims of a right id_token, for the client `wayhome`. */
export function idTokenClaims(nonce: string, iat: number = Math.floor(Date.now() / 1000)): Record<string, unknown> {
  const about = { sub: 'ada', email: 'ada@acme.test', email_verified: true };
  return { iss: ISSUER, aud: 'wayhome', iat, exp: iat + 300, nonce, ...about };
}

export const tokenAnswer = (idToken: string): string =>
  JSON.stringify({ access_token: 'an-access-token', token_type: 'Bearer', id_token: idToken });

/** The code that a token request brings: these providers hand out a login's nonce as its code. */
export const nonceIn = (text: string): string =>
  new URLSearchParams(text.slice(text.indexOf('\r\n\r\n') + 4)).get('code') ?? '';

export const okJson = (body: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** Answers every address as it should be answered: session, token and keys of a provider, and a page. */
export function answerHonestly({ at, text }: Asked, socket: Socket): void {
  switch (at) {
    case 'session':
      socket.write(okJson('{"email":"ada@acme.test"}'));
      break;
    case 'token':
      socket.write(okJson(tokenAnswer(signEs256(idTokenClaims(nonceIn(text))))));
      break;
    case 'keys':
      socket.write(okJson(JSON.stringify({ keys: [PUBLIC_KEY] })));
      break;
    default:
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\npage');
  }
}
