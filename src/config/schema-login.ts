import { z } from 'zod';
import { algorithm } from './schema-portal.ts';
import { duration, secret, some, text, url } from './schema-words.ts';

const handoff = z.strictObject({
  protocol: z.literal('handoff'),
  url: url.describe('Where the browser goes to be signed in.'),
  issuer: text.describe('The token’s iss, compared as text.'),
  algorithms: some(algorithm).describe('What its tokens may be signed with; HMAC or public-key, never both.'),
  secret: secret.optional().describe('For HS256, HS384, HS512.'),
  jwks_url: url.optional().describe('Its public keys, by URL.'),
  public_key: secret.optional().describe('Its public key: a PEM (key or certificate) or a JWK.'),
  allow_private: z.literal(true).optional().describe('Its jwks_url may be on a private or loopback address.'),
  audience: text.optional().describe('The token’s aud where it is not the router’s issuer; or not_sent.'),
  nonce: z.literal('not_echoed').optional().describe('Its tokens carry no nonce.'),
  jti: z.literal('not_sent').optional().describe('Its tokens carry no jti.'),
  max_lifetime: duration.optional().describe('Longest exp − iat, and oldest iat. Default 5m.'),
  unsolicited: z.literal('allowed').optional().describe('A token that nobody asked for is taken at /enter.'),
});

const oidc = z.strictObject({
  protocol: z.literal('oidc'),
  issuer: url,
  client_id: text,
  client_secret: secret.optional(),
  allow_private: z.literal(true).optional(),
});

const saml = z.looseObject({ protocol: z.literal('saml') });
const session = z.looseObject({ protocol: z.literal('session') });

/** `login` of an environment: told apart by `protocol`. */
export const loginSchema = z.discriminatedUnion('protocol', [handoff, oidc, saml, session]);
