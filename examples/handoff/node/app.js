/** An application with people of its own, and the one endpoint that lets Wayhome's support portal know them. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { SignJWT } from 'jose';

const { PORT = '4501', WAYHOME_URL = 'http://localhost:8080', ENVIRONMENT = 'us', HANDOFF_SECRET = '' } = process.env;
const APP_URL = process.env.APP_URL ?? `http://127.0.0.1:${PORT}`;
const KEY = new TextEncoder().encode(HANDOFF_SECRET);
if (KEY.length < 32) throw new Error('HANDOFF_SECRET has to have 32 bytes or more (RFC 7518 §3.2)');

// Stand-ins for your own people, sessions and login page.
const PASSWORD = 'wayhome';
const PEOPLE = new Map([
  ['ada@acme.example', { email: 'ada@acme.example', name: 'Ada Byron' }],
  ['grace@acme.example', { email: 'grace@acme.example', name: 'Grace Hopper' }],
]);
const sessions = new Map();

/** The only address that a token may leave for: the router's return address for us, with a state and nothing else. */
function isReturnAddress(redirectUri) {
  const address = `${WAYHOME_URL}/return/${ENVIRONMENT}?state=`;
  return redirectUri.startsWith(address) && /^[\w.-]+$/.test(redirectUri.slice(address.length));
}

/** GET /sso/support: the router asks who this is. Whoever is not signed in does that first, and comes back here. */
async function handOff(person, url) {
  const redirectUri = url.searchParams.get('redirect_uri') ?? '';
  const nonce = url.searchParams.get('nonce') ?? '';
  if (!isReturnAddress(redirectUri) || nonce === '') return [400, 'This redirect_uri is not the router’s.'];
  if (!person) return redirect(`/login?next=${encodeURIComponent(url.pathname + url.search)}`);
  const token = await new SignJWT({ ...person, nonce })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(`${APP_URL}/`)
    .setAudience(`${WAYHOME_URL}/`)
    .setIssuedAt()
    .setExpirationTime('60s')
    .setJti(randomUUID())
    .sign(KEY);
  return redirect(`${redirectUri}&access_token=${token}`);
}

/** GET /logout: ends our session, then goes where the router's sign-out goes on, and nowhere else. */
function logOut(sessionId, url) {
  sessions.delete(sessionId);
  const returnTo = url.searchParams.get('return_to') ?? '';
  return redirect(/^[\x21-\x7e]+$/.test(returnTo) && returnTo.startsWith(`${WAYHOME_URL}/logout/`) ? returnTo : '/');
}

async function logIn(request, url) {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > 10_000) return [413, 'Too large.'];
  }
  const form = new URLSearchParams(body);
  const person = PEOPLE.get(form.get('email') ?? '');
  if (!person || form.get('password') !== PASSWORD) return loginPage(url);
  const id = randomUUID();
  sessions.set(id, person);
  return redirect(nextOf(url), { 'set-cookie': `app_session=${id}; Path=/; HttpOnly; SameSite=Lax` });
}

/** Where a login goes on: an address that is not one of ours would be an open redirect. */
function nextOf(url) {
  const next = url.searchParams.get('next') ?? '';
  return /^\/sso\/support\?[\x21-\x7e]*$/.test(next) ? next : '/';
}

const loginPage = (url) => [
  200,
  `<form method="post" action="/login?next=${encodeURIComponent(nextOf(url))}">
<p>People: ${[...PEOPLE.keys()].join(', ')}. Password: ${PASSWORD}.</p>
<label>Email <input name="email" type="email" required></label>
<label>Password <input name="password" type="password" required></label>
<button>Sign in</button></form>`,
];

const homePage = (person) => [
  200,
  person ? `<p>Signed in as ${person.name}. <a href="/logout">Sign out</a></p>` : '<p><a href="/login">Sign in</a></p>',
];

const redirect = (location, headers = {}) => [303, '', { location, ...headers }];

async function answer(request) {
  const url = new URL(request.url, APP_URL);
  const sessionId = /(?:^|; )app_session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
  const person = sessions.get(sessionId);
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /':
      return homePage(person);
    case 'GET /sso/support':
      return handOff(person, url);
    case 'GET /login':
      return loginPage(url);
    case 'POST /login':
      return logIn(request, url);
    case 'GET /logout':
      return logOut(sessionId, url);
    default:
      return [404, 'Nothing here.'];
  }
}

async function respond(request, response) {
  const [status, body, headers] = await answer(request).catch(() => [400, 'Not a request that can be read.']);
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    ...headers,
  });
  response.end(body);
}

createServer(respond).listen(Number(PORT), '127.0.0.1', () => console.log(`${APP_URL}/`));
