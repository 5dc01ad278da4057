import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { CompactSign, compactVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import t from 'tap';
import { readCompact } from '../../src/keys/compact.ts';
import { hmacKey, hmacSecretFault, hmacSigner, hmacVerifier } from '../../src/keys/hmac.ts';
import { HMAC_ALGORITHMS } from '../../src/keys/keys.ts';
import { NOW, reasonOf, SECRET } from './tokens.ts';

const secrets = fc.uint8Array({ minLength: 64, maxLength: 200 }).map((bytes) => Buffer.from(bytes));
const algorithms = fc.constantFrom(...HMAC_ALGORITHMS);
const claimSets = fc.dictionary(
  fc.string({ unit: 'grapheme' }),
  fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer()),
);

const acceptedByJose = (text: string, secret: Buffer): Promise<boolean> =>
  compactVerify(text, secret).then(
    () => true,
    () => false,
  );

t.test('what is signed here verifies with jose, and what jose signs verifies here', () =>
  fc.assert(
    fc.asyncProperty(secrets, algorithms, claimSets, async (secret, alg, claims) => {
      const key = hmacKey(secret);
      const ours = await hmacSigner(alg, key).sign(JSON.stringify(claims));
      const theirs = await new CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ alg, typ: 'JWT' })
        .sign(secret);
      await hmacVerifier([alg], key).verify(readCompact(theirs), NOW);
      return ours === theirs && (await acceptedByJose(ours, secret));
    }),
    { numRuns: 300 },
  ),
);

t.test('a flipped bit is refused here and by jose', () =>
  fc.assert(
    fc.asyncProperty(secrets, algorithms, fc.nat(), async (secret, alg, anywhere) => {
      const key = hmacKey(secret);
      const text = await hmacSigner(alg, key).sign('{"email":"ada@acme.com"}');
      const bytes = Buffer.from(text.slice(text.lastIndexOf('.') + 1), 'base64url');
      const bit = anywhere % (bytes.length * 8);
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const altered = text.slice(0, text.lastIndexOf('.') + 1) + bytes.toString('base64url');
      const reason = await reasonOf(() => hmacVerifier([alg], key).verify(readCompact(altered), NOW));
      return reason === 'jwt_invalid_signature' && !(await acceptedByJose(altered, secret));
    }),
    { numRuns: 300 },
  ),
);

t.test('another payload, another secret and a signature of another length are refused', async (t) => {
  const verifier = hmacVerifier(['HS256'], hmacKey(SECRET));
  const text = (await hmacSigner('HS256', hmacKey(SECRET)).sign('{"email":"ada@acme.com"}')) as string;
  const [head = '', , signature = ''] = text.split('.');
  const other = Buffer.from('{"email":"eve@acme.com"}').toString('base64url');
  const cut = `${head}.${text.split('.')[1]}.${Buffer.from(signature, 'base64url').subarray(1).toString('base64url')}`;
  const foreign = await hmacSigner('HS256', hmacKey(Buffer.alloc(32, 9))).sign('{}');
  for (const [what, token] of Object.entries({ payload: `${head}.${other}.${signature}`, cut, foreign })) {
    t.equal(await reasonOf(() => verifier.verify(readCompact(token), NOW)), 'jwt_invalid_signature', what);
  }
});

t.test('an algorithm that is not listed is refused even with the right key', async (t) => {
  const key = hmacKey(SECRET);
  const token = readCompact(await hmacSigner('HS512', key).sign('{}'));
  t.equal(await reasonOf(() => hmacVerifier(['HS256', 'HS384'], key).verify(token, NOW)), 'jwt_algorithm_not_allowed');
  t.equal(await reasonOf(() => hmacVerifier(['HS256', 'HS512'], key).verify(token, NOW)), 'accepted');
});

t.test('nothing is asynchronous', async (t) => {
  const key = hmacKey(SECRET);
  const text = hmacSigner('HS256', key).sign('{}');
  t.type(text, 'string');
  t.equal(hmacVerifier(['HS256'], key).verify(readCompact(text as string), NOW), undefined);
});

t.test('a secret below the hash size, or a PEM file in its place, is a fault (case 33)', async (t) => {
  t.match(hmacSecretFault(['HS256'], Buffer.alloc(31)), /31 bytes; HS256 needs at least 32/);
  t.match(hmacSecretFault(['HS256', 'HS512', 'HS384'], Buffer.alloc(63)), /HS512 needs at least 64/);
  t.match(hmacSecretFault(['HS256'], Buffer.from(`-----BEGIN PUBLIC KEY-----\n${'A'.repeat(100)}`)), /public_key/);
  t.equal(hmacSecretFault(['HS256'], Buffer.alloc(32)), undefined);
  t.throws(() => hmacSigner('HS384', hmacKey(Buffer.alloc(47))), /at least 48/);
  t.throws(() => hmacVerifier(['HS256', 'HS384'], hmacKey(Buffer.alloc(32))), /at least 48/);
});

t.test('jsonwebtoken and PyJWT agree', async (t) => {
  const claims = { email: 'ada@acme.com', iat: NOW };
  const key = hmacKey(SECRET);
  for (const alg of HMAC_ALGORITHMS) {
    const text = await hmacSigner(alg, key).sign(JSON.stringify(claims));
    t.same(jsonwebtoken.verify(text, SECRET, { algorithms: [alg] }), claims, alg);
    const theirs = jsonwebtoken.sign(claims, SECRET, { algorithm: alg });
    t.equal(await reasonOf(() => hmacVerifier([alg], key).verify(readCompact(theirs), NOW)), 'accepted', alg);
    const read = decodeWithPyJwt(text, alg);
    if (read === undefined) t.comment('PyJWT is not installed here');
    else t.same(read, claims, `${alg} in PyJWT`);
  }
});

function decodeWithPyJwt(text: string, alg: string): unknown {
  const program = `
import sys
try: import jwt, json
except ImportError: sys.exit()
print(json.dumps(jwt.decode(sys.argv[1], sys.argv[2], algorithms=[sys.argv[3]], options={"verify_iat": False})))`;
  try {
    const out = execFileSync('/usr/bin/python3', ['-c', program, text, SECRET.toString(), alg], { encoding: 'utf8' });
    return out === '' ? undefined : JSON.parse(out);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
