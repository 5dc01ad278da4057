/**
 * Environments of other people's making around a router: two OpenID providers, a SAML identity provider, and an app
 * that shares its session with the router. All but that app are another site than the router (127.0.0.1, localhost).
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { ClientMetadata } from 'oidc-provider';
import type { Test } from 'tap';
import { openSharedSession } from '../../examples/demo/shared-session.ts';
import { selfSigned } from '../config/self-signed.ts';
import { openProvider } from '../support/oidc-provider.ts';
import { openSimpleSaml } from '../support/saml/simplesaml.ts';
import { type Changes, openStage, type Stage } from './stage.ts';

/** `wonka`, `slugworth`: OpenID; `oscorp`: SAML; `account`: the shared session. */
export type Kind = 'wonka' | 'slugworth' | 'oscorp' | 'account';

export type Delegations = {
  readonly stage: Stage;
  /** For `Stage.serve`. */
  readonly environments: Readonly<Record<Kind, Changes>>;
  /** The same SAML provider, asked by forms instead of redirects. */
  readonly oscorpByForms: Changes;
  /** Where a sign-out ends. */
  readonly apps: Readonly<Record<Kind, string>>;
  /** The SAML provider's origin. */
  readonly oscorp: string;
};

const CLIENT_SECRET = 'WONKA_CLIENT_SECRET';
const CLIENT_KEY = 'SLUGWORTH_CLIENT_KEY';

export async function openDelegations(t: Test): Promise<Delegations> {
  const clientKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const clientKey = clientKeys.publicKey.export({ format: 'jwk' }) as JWK & { kty: string };
  const variables = {
    [CLIENT_SECRET]: randomBytes(48).toString('base64url'),
    [CLIENT_KEY]: clientKeys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
  const stage = await openStage(t, { clock: 'runs', variables });
  const { router, portal, ports } = stage;

  const openOpenId = async (name: 'wonka' | 'slugworth', person: string, client: Partial<ClientMetadata>) => {
    const addresses = {
      redirect_uris: [`${router}/return/${name}`],
      post_logout_redirect_uris: [`${router}/return/${name}/logout`],
    };
    const email = `${person}@${name}.example`;
    const provider = await openProvider({
      clients: [{ client_id: 'wayhome', ...addresses, ...client }],
      accounts: { [person]: { email, email_verified: true, account_id: `${name}-eu` } },
    });
    t.teardown(() => provider.close());
    return provider.issuer;
  };
  const wonka = await openOpenId('wonka', 'charlie', { client_secret: variables[CLIENT_SECRET] });
  const slugworth = await openOpenId('slugworth', 'arthur', {
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'RS256',
    // Keys are called by their thumbprints (RFC 7638).
    jwks: { keys: [{ ...clientKey, kid: await calculateJwkThumbprint(clientKey) }] },
  });
  const oscorp = await openSimpleSaml(t, {
    accounts: { norman: { mail: 'norman@oscorp.example', tenant: 'oscorp-us' } },
    encrypt: true,
  });
  const links = { helpCenter: router, article: router, portalLogin: `${portal}/login` };
  const account = await openSharedSession({ port: ports.account, name: 'account', router, links });
  t.teardown(() => account.close());

  const openApp = async (name: Kind) => `${await openAppOf(t, name)}/`;
  const apps = {
    wonka: await openApp('wonka'),
    slugworth: await openApp('slugworth'),
    oscorp: await openApp('oscorp'),
    account: `${account.origin}/`,
  };
  const openId = (name: 'wonka' | 'slugworth', issuer: string, login: Changes): Changes => ({
    app_url: apps[name],
    login: { protocol: 'oidc', issuer, client_id: 'wayhome', allow_private: true, ...login },
    may_assert: { email_domains: [`${name}.example`], claims: ['account_id'] },
  });
  const { byRedirects, byForms, ...ours } = await writeSamlFiles(t, await oscorp.metadata());
  const saml = (file: string): Changes => ({
    app_url: apps.oscorp,
    login: { protocol: 'saml', metadata: { file }, ...ours, attributes: ATTRIBUTES },
    may_assert: { email_domains: ['oscorp.example'], claims: ['account_id'] },
  });
  const environments = {
    wonka: openId('wonka', wonka, { client_secret: { env: CLIENT_SECRET } }),
    slugworth: openId('slugworth', slugworth, { private_key: { env: CLIENT_KEY }, response_mode: 'form_post' }),
    oscorp: saml(byRedirects),
    account: {
      app_url: apps.account,
      login: {
        protocol: 'session',
        url: `${account.origin}/login`,
        session_url: `http://127.0.0.1:${ports.account}/api/me`,
        cookies: ['demo_account'],
        allow_private: true,
      },
      logout: { front: { url: `${account.origin}/logout`, return_param: 'return_to' } },
      may_assert: { email_domains: ['acme.example'], claims: ['account_external_id'] },
    },
  };
  await stage.serve({ environments });
  const registration = await fetch(`http://127.0.0.1:${ports.router}/return/oscorp/metadata`);
  oscorp.register(await registration.text());
  return { stage, environments, oscorpByForms: saml(byForms), apps, oscorp: oscorp.origin };
}

const ATTRIBUTES = { email: 'mail', account_id: 'tenant' };

/** What a routes file names about a SAML provider and about the router's own keys, in files. */
async function writeSamlFiles(t: Test, metadata: string) {
  const folder = await mkdtemp(join(tmpdir(), 'wayhome-browser-saml-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const keep = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const [signing, decryption] = [selfSigned(), selfSigned()];
  const pair = async (name: string, { key, certificate }: typeof signing) => ({
    private_key: { file: await keep(`${name}.key`, key) },
    certificate: { file: await keep(`${name}.crt`, certificate) },
  });
  const redirects = /<md:Single(?:SignOn|Logout)Service[^>]*HTTP-Redirect"[^>]*\/>/g;
  return {
    byRedirects: await keep('idp.xml', metadata),
    byForms: await keep('idp-by-forms.xml', metadata.replaceAll(redirects, '')),
    ...(await pair('signing', signing)),
    decryption: await pair('decryption', decryption),
  };
}

/** Nothing but the page on which somebody finds themselves after signing out. Resolves to its origin. */
export async function openAppOf(t: Test, name: string): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><title>${name}</title><h1>The app of ${name}</h1>`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
