/**
 * The limit: `node:http` and two fixed redirects, no work. Plain JavaScript, so that its start pays for nothing
 * but node.
 */
import { createServer } from 'node:http';

const state = 'x'.repeat(280);
const back = encodeURIComponent(`https://login.acme.test/return/us?state=${state}`);
const departure = `https://us.acme.test/sso/support?redirect_uri=${back}&nonce=AAAAAAAAAAAAAAAAAAAAAA`;
const home = `https://graph.usepylon.com/callback/jwt?orgSlug=acme&state=xyz&access_token=ey${'x'.repeat(420)}`;

const server = createServer((request, response) => {
  const location = request.url?.startsWith('/return/') ? home : departure;
  response.writeHead(302, { location, 'content-length': 0 }).end();
});
server.listen(0, '127.0.0.1', () => console.log(`listening at http://127.0.0.1:${server.address().port}`));
