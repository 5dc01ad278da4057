import { z } from 'zod';
import { oidcSchema } from './schema-oidc.ts';
import { algorithm } from './schema-portal.ts';
import { samlSchema } from './schema-saml.ts';
import { sessionSchema } from './schema-session.ts';
import { trustWords } from './schema-trust.ts';
import { duration, secret, some, text, url } from './schema-words.ts';

const handoff = z.strictObject({
  protocol: z.literal('handoff').describe('It signs a short-lived token and sends the person back with it.'),
  url: url.describe('Where the browser goes to be signed in.'),
  issuer: text.describe('The token’s iss, compared as text.'),
  algorithms: some(algorithm).describe('What its tokens may be signed with; HMAC or public-key, never both.'),
  secret: secret.optional().describe('For HS256, HS384, HS512.'),
  jwks_url: url.optional().describe('Its public keys, by URL.'),
  public_key: secret.optional().describe('Its public key: a PEM (key or certificate) or a JWK.'),
  audience: text.optional().describe('The token’s aud where it is not the router’s issuer; or not_sent.'),
  nonce: z.literal('not_echoed').optional().describe('Its tokens carry no nonce.'),
  jti: z.literal('not_sent').optional().describe('Its tokens carry no jti.'),
  max_lifetime: duration.optional().describe('Longest exp − iat, and oldest iat. Default 5m.'),
  unsolicited: z.literal('allowed').optional().describe('A token that nobody asked for is taken at /enter.'),
  sends_to: z
    .literal('portal')
    .optional()
    .describe('It sends the browser to the portal, as before there was a router; proxy catches that.'),
  ...trustWords,
});

/** `login` of an environment: told apart by `protocol`. */
export const loginSchema = z.discriminatedUnion('protocol', [handoff, oidcSchema, samlSchema, sessionSchema]);
