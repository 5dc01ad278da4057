import { constants, createPublicKey, generateKeyPairSync, type KeyObject, verify as verifyByNode } from 'node:crypto';
import { CompactSign, compactVerify, createLocalJWKSet, importPKCS8, jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import t from 'tap';
import { readCompact } from '../../src/keys/compact.ts';
import { type Algorithm, PUBLIC_KEY_ALGORITHMS, type PublicKeyAlgorithm } from '../../src/keys/keys.ts';
import { openPublicKey, publicKeyFault } from '../../src/keys/public-key.ts';
import { makeSigningKey, openSigner, privateKeyFault, publishedKeys } from '../../src/keys/signer.ts';
import { CERTIFICATE, CERTIFICATE_KEY } from '../outbound/loopback-certificate.ts';
import { forge, NOW, reasonOf, rsaKeys, SECRET } from './tokens.ts';

const CLAIMS = JSON.stringify({ iss: 'https://us.acme.com/', email: 'ada@us.acme.com' });
const RSA = rsaKeys();
const WEAK = rsaKeys(1024);
const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const K256 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
const ED25519 = generateKeyPairSync('ed25519');
const PSS_ONLY = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });

const publicPem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string;
const publicPemOf = (pem: string): string => createPublicKey(pem).export({ type: 'spki', format: 'pem' }) as string;
const privatePem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string;
const jwkOf = (key: KeyObject): Record<string, unknown> => key.export({ format: 'jwk' }) as Record<string, unknown>;

t.test('a key that the router makes signs what its public half verifies, here and in jose', async (t) => {
  for (const alg of PUBLIC_KEY_ALGORITHMS) {
    const pem = makeSigningKey(alg);
    const signer = await openSigner(alg, { privateKeyPem: pem });
    const text = await signer.sign(CLAIMS);
    const { header } = readCompact(text);
    t.same(header, { alg, kid: signer.publicJwk?.kid }, alg);
    t.same(Object.keys(JSON.parse(Buffer.from(text.split('.')[0] ?? '', 'base64url').toString())), [
      'alg',
      'typ',
      'kid',
    ]);
    for (const key of [publicPemOf(pem), JSON.stringify(signer.publicJwk)]) {
      const verifier = await openPublicKey(key, [alg]);
      t.equal(await reasonOf(() => verifier.verify(readCompact(text), NOW)), 'accepted', alg);
    }
    const { payload } = await jwtVerify(text, createLocalJWKSet(publishedKeys([signer])));
    t.equal(payload.email, 'ada@us.acme.com', `${alg} in jose through our key set`);
  }
});

t.test('what jose and jsonwebtoken sign verifies here, and another payload does not', async (t) => {
  const pem = privatePem(RSA.privateKey);
  for (const alg of ['RS256', 'PS256', 'PS512'] as const) {
    const verifier = await openPublicKey(publicPem(RSA.publicKey), [alg]);
    const byJose = await new CompactSign(Buffer.from(CLAIMS))
      .setProtectedHeader({ alg })
      .sign(await importPKCS8(pem, alg));
    const byJsonwebtoken = jsonwebtoken.sign(CLAIMS, pem, { algorithm: alg });
    for (const text of [byJose, byJsonwebtoken]) {
      t.equal(await reasonOf(() => verifier.verify(readCompact(text), NOW)), 'accepted', alg);
      const [head, , signature] = text.split('.');
      const altered = `${head}.${Buffer.from('{"email":"eve@acme.com"}').toString('base64url')}.${signature}`;
      t.equal(await reasonOf(() => verifier.verify(readCompact(altered), NOW)), 'jwt_invalid_signature', alg);
    }
  }
});

t.test('the salt of RSASSA-PSS is as long as the hash (RFC 7518 §3.5)', async (t) => {
  for (const [alg, bytes] of [
    ['PS256', 32],
    ['PS384', 48],
    ['PS512', 64],
  ] as const) {
    const signer = await openSigner(alg, { privateKeyPem: privatePem(RSA.privateKey) });
    const { signingInput, signature } = readCompact(await signer.sign(CLAIMS));
    const padded = { key: RSA.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING };
    const holds = (saltLength: number) =>
      verifyByNode(`sha${bytes * 8}`, Buffer.from(signingInput), { ...padded, saltLength }, signature);
    t.ok(holds(bytes), alg);
    t.notOk(holds(bytes - 1), `${alg}, a byte less`);
  }
});

t.test('case 19: an HMAC made with the public key, in whatever spelling, is no signature', async (t) => {
  const pem = publicPem(RSA.publicKey);
  const jwk = JSON.stringify(jwkOf(RSA.publicKey));
  const spellings: Record<string, string | Buffer> = {
    PEM: pem,
    'PEM without its last line end': pem.trimEnd(),
    'PEM with CRLF': pem.replaceAll('\n', '\r\n'),
    'PEM on one line': pem.replaceAll('\n', ''),
    'PEM with spaces': pem.replaceAll('\n', ' '),
    'PEM body': pem.replace(/-----[A-Z ]+-----|\n/g, ''),
    DER: RSA.publicKey.export({ type: 'spki', format: 'der' }),
    'PKCS #1': RSA.publicKey.export({ type: 'pkcs1', format: 'pem' }),
    'JWK text': jwk,
    'JWK text, indented': JSON.stringify(JSON.parse(jwk), null, 2),
    modulus: Buffer.from(String(jwkOf(RSA.publicKey).n), 'base64url'),
    empty: '',
  };
  for (const key of [pem, jwk]) {
    const verifier = await openPublicKey(key, ['RS256', 'PS256']);
    for (const [what, secret] of Object.entries(spellings)) {
      for (const alg of ['HS256', 'RS256', 'PS256']) {
        const token = readCompact(forge({ alg, typ: 'JWT' }, CLAIMS, secret));
        const reason = alg === 'HS256' ? 'jwt_algorithm_not_allowed' : 'jwt_invalid_signature';
        t.equal(await reasonOf(() => verifier.verify(token, NOW)), reason, `${what} under ${alg}`);
      }
    }
  }
});

t.test('a key that fits does not verify an algorithm that is not listed', async (t) => {
  const signer = await openSigner('PS256', { privateKeyPem: privatePem(RSA.privateKey) });
  const token = readCompact(await signer.sign(CLAIMS));
  const verifier = await openPublicKey(publicPem(RSA.publicKey), ['RS256', 'PS384']);
  t.equal(await reasonOf(() => verifier.verify(token, NOW)), 'jwt_algorithm_not_allowed');
});

t.test('a public key that cannot serve is refused with what to do', async (t) => {
  const publicJwk = jwkOf(RSA.publicKey);
  const faults: [string, string, PublicKeyAlgorithm, RegExp][] = [
    ['a private key in PEM', privatePem(RSA.privateKey), 'RS256', /private key.*pkey -pubout/],
    ['a private JWK', JSON.stringify(jwkOf(RSA.privateKey)), 'RS256', /holds a private key/],
    ['a shared secret', JSON.stringify({ kty: 'oct', k: 'AAAA' }), 'RS256', /shared secret/],
    ['1024 bits', publicPem(WEAK.publicKey), 'RS256', /1024 bits/],
    ['1024 bits as JWK', JSON.stringify(jwkOf(WEAK.publicKey)), 'PS256', /1024 bits/],
    ['exponent 1', JSON.stringify({ ...publicJwk, e: 'AQ' }), 'RS256', /exponent 1|incomplete/],
    ['EC for RS256', publicPem(P256.publicKey), 'RS256', /RS256 needs an RSA key; this is ec prime256v1/],
    ['RSA for ES256', publicPem(RSA.publicKey), 'ES256', /ES256 needs an EC key on P-256/],
    ['P-256 for ES384', publicPem(P256.publicKey), 'ES384', /P-384/],
    ['secp256k1', publicPem(K256.publicKey), 'ES256', /secp256k1/],
    ['Ed25519 for ES256', publicPem(ED25519.publicKey), 'ES256', /ed25519/],
    ['an RSA-PSS key', publicPem(PSS_ONLY.publicKey), 'PS256', /rsa-pss/],
    ['a JWK for encryption', JSON.stringify({ ...publicJwk, use: 'enc' }), 'RS256', /use/],
    ['a JWK for signing only', JSON.stringify({ ...publicJwk, key_ops: ['sign'] }), 'RS256', /key_ops/],
    ['a JWK for another algorithm', JSON.stringify({ ...publicJwk, alg: 'PS256' }), 'RS256', /is for PS256/],
    ['half a JWK', JSON.stringify({ kty: 'RSA', e: 'AQAB' }), 'RS256', /incomplete/],
    ['a set', JSON.stringify({ keys: [publicJwk] }), 'RS256', /jwks_url/],
    ['no JSON', '{kty', 'RS256', /not JSON/],
    ['no PEM', 'hello', 'RS256', /no PEM public key/],
    ['nothing', '', 'RS256', /no PEM public key/],
  ];
  for (const [what, text, algorithm, message] of faults) {
    t.match(publicKeyFault(text, [algorithm]), message, what);
    await t.rejects(openPublicKey(text, [algorithm]), { message }, what);
  }
  t.match(publicKeyFault(publicPem(RSA.publicKey), ['HS256' as PublicKeyAlgorithm]), /cannot verify HS256/);
  t.match(publicKeyFault(publicPem(RSA.publicKey), []), /algorithms/);
  t.equal(publicKeyFault(publicPem(RSA.publicKey), ['RS256', 'PS512']), undefined);
});

t.test('a certificate is read for its key alone', async (t) => {
  t.equal(publicKeyFault(CERTIFICATE, ['ES256']), undefined);
  t.match(publicKeyFault(CERTIFICATE, ['RS256']), /RS256 needs an RSA key/);
  const signer = await openSigner('ES256', { privateKeyPem: CERTIFICATE_KEY });
  const verifier = await openPublicKey(CERTIFICATE, ['ES256']);
  const token = readCompact(await signer.sign(CLAIMS));
  t.equal(await reasonOf(() => verifier.verify(token, NOW)), 'accepted');
  t.match(publicKeyFault(CERTIFICATE + CERTIFICATE_KEY, ['ES256']), /private key/);
});

t.test('a signing key that cannot serve is refused with what to do', async (t) => {
  const encrypted = RSA.privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'x',
  }) as string;
  const faults: [string, PublicKeyAlgorithm, RegExp][] = [
    [privatePem(WEAK.privateKey), 'PS256', /1024 bits/],
    [privatePem(P256.privateKey), 'PS256', /PS256 needs an RSA key/],
    [privatePem(PSS_ONLY.privateKey), 'PS256', /rsa-pss/],
    [publicPem(RSA.publicKey), 'PS256', /no private key/],
    [encrypted, 'PS256', /passphrase/],
    ['', 'PS256', /no private key/],
  ];
  for (const [pem, algorithm, message] of faults) {
    t.match(privateKeyFault(pem, algorithm), message);
    await t.rejects(openSigner(algorithm, { privateKeyPem: pem }), { message });
  }
  t.equal(privateKeyFault(RSA.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string, 'PS256'), undefined);
  await t.rejects(openSigner('HS256', { privateKeyPem: privatePem(RSA.privateKey) }), /needs a secret/);
  await t.rejects(openSigner('PS256', { secret: SECRET }), /needs a private key/);
});

t.test('the published keys are public, named by thumbprint and each there once', async (t) => {
  const open = (alg: Algorithm) => openSigner(alg, { privateKeyPem: privatePem(RSA.privateKey) });
  const [ps256, ps384, again] = [await open('PS256'), await open('PS384'), await open('PS256')];
  const es256 = await openSigner('ES256', { privateKeyPem: privatePem(P256.privateKey) });
  const hs256 = await openSigner('HS256', { secret: SECRET });
  t.same(publishedKeys([hs256]), { keys: [] });
  const { keys } = publishedKeys([ps256, again, es256, hs256]);
  t.same(
    keys.map(({ use, alg, kty }) => ({ use, alg, kty })),
    [
      { use: 'sig', alg: 'PS256', kty: 'RSA' },
      { use: 'sig', alg: 'ES256', kty: 'EC' },
    ],
  );
  for (const key of keys) for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) t.notOk(secret in key, secret);
  const [shared, ...rest] = publishedKeys([ps256, ps384, again]).keys;
  t.same(rest, []);
  t.notOk(shared && 'alg' in shared, 'one key under two algorithms stands once, without alg');
  t.ok(await compactVerify(await ps384.sign(CLAIMS), createLocalJWKSet({ keys: [shared] } as never)));
});
