import { createHash, type KeyObject, sign } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Test } from 'tap';
import { encode, NOW, rsaKeys } from '../keys/tokens.ts';
import { serve } from '../outbound/servers.ts';

export const ACCESS_TOKEN = 'an-access-token';

type Changes = Readonly<Record<string, unknown>>;

/** What the provider does differently from an honest one; `undefined` leaves a claim or a field out. */
export type Lies = {
  readonly metadata?: Changes;
  readonly header?: Changes;
  readonly claims?: Changes;
  /** In place of the id_token as a whole. */
  readonly idToken?: unknown;
  readonly tokens?: Changes;
  readonly userinfo?: Changes;
  /** Answers in place of the honest one, by path. */
  readonly at?: Readonly<Record<string, (response: ServerResponse, request: IncomingMessage) => void>>;
};

/** A provider of our own making, that signs with its own key and lies as it is told. */
export type Liar = {
  readonly issuer: string;
  /** From now on. */
  lie(lies: Lies): void;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  /** The claims of an honest id_token for the first login. */
  claims(): Record<string, unknown>;
};

const keys = rsaKeys();

/** A compact token out of any header and claims, signed RS256. */
export function signRs256(header: unknown, claims: unknown, key: KeyObject = keys.privateKey): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
}

/** `at_hash` of RS256 (OpenID Connect Core §3.1.3.6). */
export const atHash = (accessToken: string): string =>
  createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');

export async function openLiar(t: Test): Promise<Liar> {
  let lies: Lies = {};
  const asked: string[] = [];
  const { url } = await serve(t, (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    asked.push(path);
    const instead = lies.at?.[path];
    if (instead) instead(response, request);
    else answerJson(response, honest(path));
  });
  const issuer = url.replace(/\/$/, '');

  const claims = () => ({
    iss: issuer,
    sub: 'ada',
    aud: 'wayhome',
    iat: NOW,
    exp: NOW + 3600,
    nonce: 'nonce-of-login-1',
    email: 'ada@globex.test',
    email_verified: true,
  });

  function honest(path: string): unknown {
    switch (path) {
      case '/.well-known/openid-configuration':
        return {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
          userinfo_endpoint: `${issuer}/userinfo`,
          end_session_endpoint: `${issuer}/logout`,
          ...lies.metadata,
        };
      case '/jwks':
        return { keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'key-1', use: 'sig' }] };
      case '/token': {
        const header = { alg: 'RS256', kid: 'key-1', ...lies.header };
        const idToken = 'idToken' in lies ? lies.idToken : signRs256(header, { ...claims(), ...lies.claims });
        return { access_token: ACCESS_TOKEN, token_type: 'Bearer', id_token: idToken, ...lies.tokens };
      }
      case '/userinfo':
        return { sub: 'ada', email: 'ada@globex.test', email_verified: true, ...lies.userinfo };
      default:
        return {};
    }
  }

  return {
    issuer,
    asked,
    keys,
    claims,
    lie(next) {
      lies = next;
    },
  };
}

export function answerJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
