/** One login as a browser walks it, with the environment in the generator: start hop, token, return hop. */
import { createHmac, createSecretKey, randomUUID } from 'node:crypto';
import type { Connection } from './connection.ts';
import { CALLBACK, ENVIRONMENT_SECRET, ISSUER, ORIGIN } from './world.ts';

const KEY = createSecretKey(Buffer.from(ENVIRONMENT_SECRET));
const HEADER = `${Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')}.`;

let walked = 0;

/**
 * The Remote Login URL of a portal, with a return address of its own every time, as portals send it. The environment
 * is named, so that discovery asks nobody.
 */
export const startPath = (loginPath: string, environment = 'us'): string =>
  `${loginPath}?env=${environment}&redirect_uri=${encodeURIComponent(`${CALLBACK}&state=${++walked}`)}`;

/** The start hop alone: a login that nobody comes back from. */
export async function startLogin(connection: Connection, loginPath: string): Promise<void> {
  const { status, location } = await connection.get(startPath(loginPath));
  if (status !== 302 || !location.includes('state')) throw new Error(`no departure: ${status} ${location}`);
}

/** Both hops. Throws when either is answered with anything but the redirect that it has to be. */
export async function walkLogin(connection: Connection, loginPath: string): Promise<void> {
  const departed = await connection.get(startPath(loginPath));
  const { back, nonce } = readDeparture(departed.location);
  const home = await connection.get(`${back}&access_token=${signToken(nonce)}`, departed.cookie);
  if (home.status !== 302 || !home.location.startsWith(CALLBACK) || !home.location.includes('&access_token=ey')) {
    throw new Error(`no portal token: ${home.status} ${home.location}`);
  }
}

const REDIRECT = 'redirect_uri=';
const NONCE = '&nonce=';

/** The return address, as a path of the router, and the nonce. */
function readDeparture(location: string): { back: string; nonce: string } {
  const from = location.indexOf(REDIRECT) + REDIRECT.length;
  const nonceAt = location.indexOf(NONCE, from);
  if (nonceAt === -1) throw new Error(`no departure: ${location}`);
  const back = decodeURIComponent(location.slice(from, nonceAt));
  return { back: back.slice(ORIGIN.length), nonce: location.slice(nonceAt + NONCE.length) };
}

function signToken(nonce: string): string {
  const iat = Math.floor(Date.now() / 1000);
  const claims = {
    iss: 'https://us.acme.test/',
    aud: ISSUER,
    iat,
    exp: iat + 60,
    jti: randomUUID(),
    nonce,
    email: 'ada@us.example',
    account_external_id: 'acct_42',
  };
  const input = HEADER + Buffer.from(JSON.stringify(claims)).toString('base64url');
  return `${input}.${createHmac('sha256', KEY).update(input).digest('base64url')}`;
}
