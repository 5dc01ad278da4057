/**
 * The limit: `node:http` and two fixed redirects, no work. With the argument `rsa`, one RSA-2048 signature (PS256)
 * before the second of them. Plain JavaScript, so that its start pays for nothing but node.
 */
import { createServer } from 'node:http';

const state = 'x'.repeat(280);
const back = encodeURIComponent(`https://login.acme.test/return/us?state=${state}`);
const departure = `https://us.acme.test/sso/support?redirect_uri=${back}&nonce=AAAAAAAAAAAAAAAAAAAAAA`;
const home = `https://graph.usepylon.com/callback/jwt?orgSlug=acme&state=xyz&access_token=ey${'x'.repeat(420)}`;

const work = process.argv[2] === 'rsa' ? await rsaSignature() : () => {};

const server = createServer((request, response) => {
  const returns = request.url?.startsWith('/return/');
  if (returns) work();
  response.writeHead(302, { location: returns ? home : departure, 'content-length': 0 }).end();
});
server.listen(0, '127.0.0.1', () => console.log(`listening at http://127.0.0.1:${server.address().port}`));

async function rsaSignature() {
  const { constants, generateKeyPairSync, sign } = await import('node:crypto');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const input = Buffer.from(home);
  return () => sign('sha256', input, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
}
