/** Environments of every kind, and what an attacker may make of their tokens. */
import { createSign, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { encode, forge, rsaKeys } from '../keys/tokens.ts';
import { serve } from '../outbound/servers.ts';
import type { Browser, Seen } from '../support/browser.ts';
import { changedRoutes, departure, ISSUER, LOGIN, SECRETS, temporaryFolder } from '../support/world.ts';
import { openAttackWorld } from './attack-world.ts';

export const RSA = rsaKeys();
export const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const ENTRY = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const folder = temporaryFolder(t);
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
export const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string;
export const jwk = (key: KeyObject): string => JSON.stringify({ ...key.export({ format: 'jwk' }), kid: 'one' });

/** The key set of an environment, and an attacker's server that nobody may ever call. */
export const asked: Record<string, unknown>[] = [];
export const keySet = await serve(t, ({ headers }, response) => {
  asked.push(headers);
  response.end(`{"keys":[${jwk(EC.publicKey)}]}`);
});
export const elsewhere = await serve(t, (_, response) => response.end(`{"keys":[${jwk(RSA.publicKey)}]}`));

const handoff = (more: Record<string, unknown>) => ({
  app_url: 'https://app.acme.test/',
  login: { protocol: 'handoff', url: 'https://app.acme.test/sso', issuer: 'https://us.acme.test/', ...more },
  may_assert: { email_domains: 'any' },
});

export const LEGACY = 'canary-legacy-handoff-secret-0123456789abcdef0123456789abcdef01';
export const PYLON = 'canary-audience-handoff-secret-0123456789abcdef0123456789abcdef';

export const world = await openAttackWorld(t, {
  variables: { LEGACY, PYLON },
  routes: changedRoutes(({ environments }) => {
    Object.assign(environments, {
      rsa: handoff({ algorithms: ['RS256'], public_key: { file: file('rsa.pem', pem(RSA.publicKey)) } }),
      ec: handoff({ algorithms: ['ES256'], jwks_url: `${keySet.url}jwks`, allow_private: true }),
      legacy: handoff({ algorithms: ['HS256'], secret: { env: 'LEGACY' }, nonce: 'not_echoed' }),
      audience: handoff({
        algorithms: ['HS256'],
        secret: { env: 'PYLON' },
        audience: 'https://portal.usepylon.com',
      }),
      entry: handoff({
        algorithms: ['ES256'],
        public_key: { file: file('entry.pem', pem(ENTRY.publicKey)) },
        unsolicited: 'allowed',
        jti: 'not_sent',
      }),
    });
  }),
});

export type Left = { readonly nonce: string; readonly claims: Record<string, unknown> };

/** Leaves for an environment and comes back with what the test makes of the claims that would be right. */
export async function arrive(
  environment: string,
  make: (left: Left) => string,
  how: 'get' | 'post' = 'get',
): Promise<Seen> {
  const browser = world.browser();
  const { redirectUri, nonce } = departure(await browser.get(`${LOGIN}&env=${environment}`));
  return comeBackWith(browser, redirectUri, make({ nonce, claims: { ...right(), nonce } }), how);
}

export const comeBackWith = (browser: Browser, redirectUri: string, token: string, how: 'get' | 'post' = 'get') =>
  how === 'get'
    ? browser.get(`${redirectUri}&access_token=${encodeURIComponent(token)}`)
    : browser.post(redirectUri, { access_token: token }, { cookies: 'cross_site_post' });

export const right = () => ({
  iss: 'https://us.acme.test/',
  aud: ISSUER,
  iat: world.now,
  exp: world.now + 60,
  jti: randomUUID(),
  email: 'ada@acme.test',
});

export const HS256 = { alg: 'HS256', typ: 'JWT' };
export const signHmac = (header: unknown, claims: unknown, secret: Buffer | string = SECRETS.US_SECRET) =>
  forge(header, claims, secret);

export function signEc(claims: unknown, header: Record<string, unknown> = {}, key: KeyObject = EC.privateKey): string {
  const input = `${encode({ alg: 'ES256', kid: 'one', ...header })}.${encode(claims)}`;
  const signature = createSign('sha256').update(input).sign({ key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

/** Another spelling of an ECDSA signature that verifies as well: (r, n − s). */
export function otherSignature(token: string): string {
  const cut = token.lastIndexOf('.') + 1;
  const signature = Buffer.from(token.slice(cut), 'base64url');
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const s = order - BigInt(`0x${signature.subarray(32).toString('hex')}`);
  const other = Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
  return token.slice(0, cut) + other.toString('base64url');
}

/** The same bytes to a forgiving decoder: the last character's spare bits are set. */
export const nonCanonical = (token: string): string => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = letters.indexOf(token.at(-1) ?? '');
  return token.slice(0, -1) + letters[last + 1];
};
