/**
 * A stand-in for services behind an app, which know people by tokens that somebody else minted: pylonsync's article has
 * them verified “against your shared HS256 secret OR a published RSA public key via this JWKS endpoint”. Here it is the
 * router that mints, and its issuer that they believe.
 */
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { type Call, openServer, type Party, type Reply } from './server.ts';

export type DownstreamOptions = {
  readonly port: number;
  /** Compared byte for byte; `/.well-known/openid-configuration` is looked for below it. */
  readonly issuer: string;
  /** What `/billing` shares with the router. */
  readonly secret: string;
  /** Whole seconds since 1970. */
  readonly now: () => number;
};

/** `/billing` shares a secret; `/metrics` shares nothing, and reads the keys that the issuer publishes. */
export function openDownstream({ port, issuer, secret, now }: DownstreamOptions): Promise<Party> {
  const rules = (audience: string) => ({ issuer, audience, currentDate: new Date(now() * 1000) });
  const key = Buffer.from(secret, 'utf8');

  const bySecret = async (token: string): Promise<JWTPayload> =>
    (await jwtVerify(token, key, { ...rules('billing'), algorithms: ['HS256'] })).payload;

  async function byPublishedKeys(token: string): Promise<JWTPayload> {
    const metadata = await readJson(new URL('/.well-known/openid-configuration', issuer).href);
    if (metadata.issuer !== issuer) throw new Error(`the metadata is of ${String(metadata.issuer)}`);
    const keys = (await readJson(String(metadata.jwks_uri))) as unknown as JSONWebKeySet;
    return (await jwtVerify(token, createLocalJWKSet(keys), { ...rules('metrics'), algorithms: ['RS256'] })).payload;
  }

  const answer =
    (verify: (token: string) => Promise<JWTPayload>) =>
    async ({ headers }: Call): Promise<Reply> => {
      try {
        const { email, tenant_id } = await verify(headers.authorization?.replace(/^Bearer /, '') ?? '');
        return json(200, { email, tenant_id });
      } catch (error) {
        return json(401, { error: error instanceof Error ? error.message : String(error) });
      }
    };

  return openServer(port, { 'GET /billing': answer(bySecret), 'GET /metrics': answer(byPublishedKeys) });
}

async function readJson(url: string): Promise<Readonly<Record<string, unknown>>> {
  const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(5000) });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  return (await answer.json()) as Record<string, unknown>;
}

const json = (status: number, body: object): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
