/**
 * A router with two environments of each protocol, `…-a` and `…-b`, and what each of them does with a person: all of
 * them sign in whoever is named, as often as they are asked, so that what is refused is refused by the router.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import type { Test } from 'tap';
import { selfSigned } from '../config/self-signed.ts';
import { serve } from '../outbound/servers.ts';
import type { Browser, Seen } from '../support/browser.ts';
import {
  assertionXml,
  at as atInstant,
  attribute,
  audience,
  bearer,
  responseXml,
  signed,
} from '../support/saml/responses.ts';
import {
  changedRoutes,
  departure,
  environmentToken,
  LOGIN,
  ORIGIN,
  temporaryFolder,
  type World,
  type WorldOptions,
} from '../support/world.ts';
import { openAttackWorld } from './attack-world.ts';
import { idTokenClaims, nonceIn, PUBLIC_KEY, signEs256, tokenAnswer } from './honest-provider.ts';

export const PROTOCOLS = ['handoff', 'oidc', 'saml', 'session'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** `us` and `eu` of the usual world speak handoff. */
export const PAIRS = {
  handoff: ['us', 'eu'],
  oidc: ['oidc-a', 'oidc-b'],
  saml: ['saml-a', 'saml-b'],
  session: ['session-a', 'session-b'],
} as const satisfies Record<Protocol, readonly [string, string]>;

export type Name = (typeof PAIRS)[Protocol][number];
export const NAMES: readonly Name[] = PROTOCOLS.flatMap((protocol) => PAIRS[protocol]);

export const protocolOf = (name: Name): Protocol =>
  PROTOCOLS.find((protocol) => (PAIRS[protocol] as readonly Name[]).includes(name)) ?? 'handoff';

/** A login that has left. */
export type Left = {
  readonly name: Name;
  /** As it comes back, and under which name. */
  readonly state: string;
  readonly stateParam: 'state' | 'RelayState';
  /** What binds an answer to this very login: the nonce, or the ID of the request. */
  readonly bond: string;
};

/** What an environment sends back: parameters, and the cookie that its session is. */
export type Back = {
  readonly name: Name;
  readonly fields: Readonly<Record<string, string>>;
  readonly posted: boolean;
};

export type FourWorld = World & {
  /** The text of its routes. */
  readonly routes: string;
  /** Codes that reached a token endpoint, by the environment whose endpoint it is. */
  readonly codes: { readonly name: Name; readonly code: string }[];
  leave(browser: Browser, name: Name, start?: string): Promise<Left>;
  /** The answer of an environment to a login; `as` is who signs it, where that is another one. */
  answer(left: Left, as?: Name): Promise<Back>;
  /** Brings an answer to a return address: the environment's own unless another is named. */
  bring(browser: Browser, back: Back, to?: Name): Promise<Seen>;
};

/** The session cookie that an environment leaves in a browser. */
export const SESSION = { 'session-a': 'sid-a', 'session-b': 'sid-b' } as const;

const SAML_KEYS = { 'saml-a': selfSigned(), 'saml-b': selfSigned() } as const;
const entityOf = (name: string): string => `https://${name}.acme.test/metadata`;

export async function openFourWorld(t: Test, options: Pick<WorldOptions, 'sqlite'> = {}): Promise<FourWorld> {
  const codes: FourWorld['codes'] = [];
  const providers = await serve(t, (request, response) => {
    let text = '\r\n\r\n';
    request.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    request.on('end', () => {
      const [, name = '', what = ''] = (request.url ?? '').split('/');
      response.setHeader('content-type', 'application/json');
      const issuer = `${origin}/${name}`;
      if (what === 'token') {
        const code = nonceIn(text);
        codes.push({ name: name as Name, code });
        response.end(tokenAnswer(signEs256({ ...idTokenClaims(code, world.now), iss: issuer })));
      } else if (what === 'keys') response.end(JSON.stringify({ keys: [PUBLIC_KEY] }));
      else response.end(JSON.stringify(metadataOf(issuer)));
    });
  });
  const sessions = await serve(t, (request, response) => {
    const signedIn = /(?:^|; )sid-[ab]=ada(?:;|$)/.test(request.headers.cookie ?? '');
    response.writeHead(signedIn ? 200 : 401).end(signedIn ? '{"email":"ada@acme.test"}' : '');
  });
  const origin = providers.url.slice(0, -1);
  const folder = temporaryFolder(t);
  for (const [name, { certificate }] of Object.entries(SAML_KEYS))
    writeFileSync(join(folder, `${name}.pem`), certificate);
  const routes = changedRoutes((tree) => {
    const { environments } = tree;
    // No rule leads to one of them, so that each can be removed.
    tree.discovery = tree.discovery.filter(({ by }) => by !== 'rule');
    Object.assign(environments, oidc(origin, 'oidc-a', 'query'), oidc(origin, 'oidc-b', 'form_post'));
    Object.assign(environments, saml('saml-a'), saml('saml-b'));
    Object.assign(environments, session(sessions.url, 'session-a'), session(sessions.url, 'session-b'));
    Object.assign(environments, behind(providers.url));
  });
  const variables = { BEHIND_SECRET: 'canary-behind-handoff-secret-0123456789abcdef0123456789abcdef0123' };
  const world = await openAttackWorld(t, { file: join(folder, 'routes.yaml'), variables, ...options, routes });

  async function leave(browser: Browser, name: Name, start = `${LOGIN}&env=${name}`): Promise<Left> {
    const seen = await browser.get(start);
    const { searchParams } = new URL(seen.location);
    switch (protocolOf(name)) {
      case 'handoff': {
        const { state, nonce } = departure(seen);
        return { name, state, stateParam: 'state', bond: nonce };
      }
      case 'oidc':
        return { name, state: need(searchParams, 'state'), stateParam: 'state', bond: need(searchParams, 'nonce') };
      case 'saml': {
        const xml = inflateRawSync(Buffer.from(need(searchParams, 'SAMLRequest'), 'base64')).toString();
        const bond = /\sID="([^"]+)"/.exec(xml)?.[1] ?? '';
        return { name, state: need(searchParams, 'RelayState'), stateParam: 'RelayState', bond };
      }
      case 'session': {
        const back = new URL(need(searchParams, 'return_to'));
        return { name, state: need(back.searchParams, 'state'), stateParam: 'state', bond: '' };
      }
    }
  }

  async function answer({ name, state, stateParam, bond }: Left, as = name): Promise<Back> {
    const fields = { [stateParam]: state };
    switch (protocolOf(as)) {
      case 'handoff': {
        const token = await environmentToken(as as 'us' | 'eu', world.now, bond);
        return { name, fields: { ...fields, access_token: token }, posted: false };
      }
      case 'oidc':
        // These providers hand out a login's nonce as its code.
        return { name, fields: { ...fields, code: bond, iss: `${origin}/${as}` }, posted: as === 'oidc-b' };
      case 'saml': {
        const xml = samlResponse({ to: name, from: as, inResponseTo: bond, now: world.now });
        return { name, fields: { ...fields, SAMLResponse: base64(xml) }, posted: true };
      }
      case 'session':
        return { name, fields, posted: false };
    }
  }

  async function bring(browser: Browser, { name, fields, posted }: Back, to = name): Promise<Seen> {
    const cookie = Object.entries(SESSION).find(([session]) => session === name)?.[1];
    if (cookie) browser.jar.set(cookie, { value: 'ada', sameSite: 'Lax', attributes: '' });
    const address = `${ORIGIN}/return/${to}`;
    if (posted) return browser.post(address, fields, { cookies: 'cross_site_post' });
    return browser.get(`${address}?${new URLSearchParams(fields)}`);
  }

  return Object.assign(world, { routes, codes, leave, answer, bring });
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64');

export type SamlParts = {
  readonly to: Name;
  /** Who signs it, and says so. */
  readonly from?: Name;
  /** Whose key signs it; `from`’s unless set. */
  readonly signedBy?: Name;
  readonly inResponseTo: string;
  readonly now: number;
  readonly id?: string;
  readonly recipient?: string;
  readonly destination?: string;
  readonly entity?: string;
};

/** A Response with a signed assertion, right unless a part says otherwise. */
export function samlResponse({ to, from = to, inResponseTo, now, ...parts }: SamlParts): string {
  const address = `${ORIGIN}/return/${to}`;
  const { id = `_${randomUUID()}`, recipient = address, destination = address } = parts;
  const { entity = `${address}/metadata` } = parts;
  const until = atInstant(now + 120);
  const issuer = entityOf(from);
  const assertion = assertionXml({
    id,
    issueInstant: atInstant(now),
    issuer: `<saml:Issuer>${issuer}</saml:Issuer>`,
    nameId: '<saml:NameID>ada</saml:NameID>',
    confirmation: bearer({ Recipient: recipient, InResponseTo: inResponseTo, NotOnOrAfter: until }),
    conditions: `NotBefore="${atInstant(now)}" NotOnOrAfter="${until}"`,
    audience: audience(entity),
    attributes: `<saml:AttributeStatement>${attribute('email', 'ada@acme.test')}</saml:AttributeStatement>`,
  });
  const keys = SAML_KEYS[(parts.signedBy ?? from) as keyof typeof SAML_KEYS];
  const heading = { ID: `_${randomUUID()}`, IssueInstant: atInstant(now), Destination: destination };
  return responseXml(signed(assertion, id, { keys }), { ...heading, InResponseTo: inResponseTo }, { issuer });
}

function need(params: URLSearchParams, name: string): string {
  const value = params.get(name);
  if (!value) throw new Error(`no ${name} in the departure`);
  return value;
}

const metadataOf = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
  end_session_endpoint: `${issuer}/logout`,
  authorization_response_iss_parameter_supported: true,
});

const entry = (name: string, login: object) => ({
  [name]: { app_url: `https://${name}.acme.test/`, may_assert: { email_domains: 'any' }, login },
});

const oidc = (origin: string, name: string, mode: 'query' | 'form_post') =>
  entry(name, {
    protocol: 'oidc',
    issuer: `${origin}/${name}`,
    client_id: 'wayhome',
    response_mode: mode,
    algorithms: ['ES256'],
    allow_private: true,
  });

const saml = (name: string) =>
  entry(name, {
    protocol: 'saml',
    issuer: entityOf(name),
    sso_url: `https://${name}.acme.test/sso`,
    certificates: [{ file: `${name}.pem` }],
  });

const session = (url: string, name: keyof typeof SESSION) =>
  entry(name, {
    protocol: 'session',
    url: `https://${name}.acme.test/login`,
    session_url: `${url}session`,
    cookies: [SESSION[name]],
    allow_private: true,
  });

/** Its pages are reached through the router. */
const behind = (upstream: string) => ({
  behind: {
    app_url: 'https://behind.acme.test/',
    may_assert: { email_domains: 'any' },
    login: {
      protocol: 'handoff',
      url: 'https://behind.login.acme.test/sso',
      issuer: 'behind',
      algorithms: ['HS256'],
      secret: { env: 'BEHIND_SECRET' },
    },
    proxy: { host: 'behind.login.acme.test', upstream: upstream.slice(0, -1), paths: ['/'] },
  },
});
