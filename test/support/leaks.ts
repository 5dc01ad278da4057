/**
 * The search of case 39: what only one place may hold must not be found in any other. Secrets are taken from the
 * variables that the router was given and from the answers themselves, so every world can be searched afterwards.
 */
import type { Exchange } from './browser.ts';
import { CALLBACK, type World } from './world.ts';

type Kind = 'configured secret' | 'login secret' | 'visit' | 'state' | 'nonce' | 'environment token' | 'portal token';

/** Shorter texts would be found by chance. */
const SHORTEST = 12;

/** On the host of an environment behind the router, the state of the login that passed there. */
const CAUGHT = '__Host-wayhome-caught';

/** Whoever signs in anywhere in these tests has an address of one of these domains. */
const EMAIL = /[\w.+-]+@(?:[\w-]+\.)*(?:acme\.test|globex\.example|b\.test)/;

export type Searched = Pick<World, 'lines' | 'exchanges' | 'variables'>;

/** Where in everything that the router said a secret was found; nothing, when all is well. */
export function leaksOf({ lines, exchanges, variables }: Searched): string[] {
  const secrets = secretsOf(variables, exchanges);
  const leaks = new Set<string>();
  const search = (text: string, where: string, ...allowed: Kind[]) => {
    for (const [secret, kind] of secrets) {
      if (!allowed.includes(kind) && text.includes(secret)) leaks.add(`${kind} in ${where}`);
    }
  };
  const log = lines.join('');
  search(log, 'the log');
  if (/eyJ[\w-]{8}/.test(log)) leaks.add('something like a token in the log');
  const address = EMAIL.exec(log);
  if (address) leaks.add(`the email ${address[0]} in the log`);

  for (const { seen } of exchanges) {
    const { 'set-cookie': cookies = [], location: _, ...headers } = seen.headers;
    const at = seen.url.split('?', 1)[0];
    const handsBack = seen.status === 200 && seen.body.includes('document.forms[0].submit()');
    search(seen.body, `the page at ${at}`, ...(handsBack ? (['portal token'] as const) : []));
    search(JSON.stringify(headers), `a header of ${at}`);
    search(seen.location, `the Location of ${at}`, ...travelling(seen.location));
    for (const line of cookies) {
      search(
        line,
        `a cookie of ${at}`,
        'login secret',
        'visit',
        ...(line.startsWith(CAUGHT) ? (['state'] as const) : []),
      );
    }
  }
  return [...leaks];
}

/** What a redirect has to carry: a login's state to an environment, a token to the portal. */
const travelling = (location: string): Kind[] =>
  location.startsWith(new URL(CALLBACK).origin) ? ['portal token'] : ['state', 'nonce'];

function secretsOf(variables: World['variables'], exchanges: readonly Exchange[]): Map<string, Kind> {
  const secrets = new Map<string, Kind>();
  const add = (text: string | null | undefined, kind: Kind) => {
    if (text && text.length >= SHORTEST && !secrets.has(text)) secrets.set(text, kind);
  };
  for (const value of Object.values(variables)) {
    add(value, 'configured secret');
    for (const coding of ['base64', 'base64url', 'hex'] as const) {
      add(Buffer.from(value).toString(coding).replace(/=+$/, ''), 'configured secret');
    }
  }
  for (const { url, send, seen } of exchanges) {
    for (const line of seen.headers['set-cookie'] ?? []) {
      const [name = '', value = ''] = (line.split(';', 1)[0] ?? '').split('=');
      if (name.startsWith('__Host-wayhome-login.')) add(value.split('.', 1)[0], 'login secret');
      else add(value, name === CAUGHT ? 'state' : 'visit');
    }
    const to = URL.parse(seen.location);
    addToken(to?.searchParams.get('access_token'), 'portal token', add);
    addToken(/name="(?:jwt|access_token)" value="([^"]+)"/.exec(seen.body)?.[1], 'portal token', add);
    add(to?.searchParams.get('nonce'), 'nonce');
    const back = ['redirect_uri', 'return_to'].map((name) => URL.parse(to?.searchParams.get(name) ?? ''));
    for (const address of [to, ...back]) add(address?.searchParams.get('state')?.slice(11), 'state');
    const form = send.form === undefined ? new URLSearchParams() : new URLSearchParams(send.form);
    const sent = [URL.parse(url, 'https://router.test')?.searchParams, form];
    for (const params of sent) {
      addToken(params?.get('access_token'), 'environment token', add);
      for (const name of ['code', 'SAMLResponse']) add(params?.get(name), 'environment token');
    }
  }
  return secrets;
}

/** A token, and the two parts of it that are its own: all tokens of one algorithm begin alike. */
function addToken(
  token: string | null | undefined,
  kind: Kind,
  add: (text: string | undefined, kind: Kind) => void,
): void {
  if (!token?.includes('.')) return;
  for (const part of [token, ...token.split('.').slice(1)]) add(part.trim(), kind);
}
