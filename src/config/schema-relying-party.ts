import { z } from 'zod';
import { CLIENT_AUTH, ID_TOKEN_ALGORITHMS, SCOPES } from '../provider/provider.ts';
import { says } from './schema-problems.ts';
import { trustWords } from './schema-trust.ts';
import { secret, some, url } from './schema-words.ts';

/** RFC 6749 §2.3.1: it travels in an Authorization header, so what a URL or a header cannot hold is left out. */
const clientId = z
  .string()
  .regex(
    /^[A-Za-z0-9._~/:@-]{1,128}$/,
    says('must be a client id', 'Use letters, digits and . _ ~ / : @ -, at most 128 of them.'),
  );

/** `oidc` of a portal: the portal is a client of the router, and the router its OpenID provider. */
export const relyingPartySchema = z.strictObject({
  client_id: clientId.describe('What the router calls the portal.'),
  client_secret: secret.optional().describe('What router and portal share; 32 characters or more.'),
  client_auth: z
    .enum(CLIENT_AUTH)
    .optional()
    .describe(
      'How the portal proves itself (OIDC Core §9). Default client_secret_basic; none: a public client, which has to use PKCE.',
    ),
  redirect_uris: some(url).describe('Where the router may send people back to, compared as text.'),
  post_logout_redirect_uris: some(url).optional().describe('Where a sign-out may end, compared as text.'),
  backchannel_logout_uri: url
    .optional()
    .describe('Where the router itself tells the portal that a person signed out (Back-Channel Logout 1.0).'),
  frontchannel_logout_uri: url
    .optional()
    .describe('What the browser loads in a hidden frame at a sign-out (Front-Channel Logout 1.0).'),
  scopes: some(z.enum(SCOPES))
    .refine(
      (scopes) => scopes.length === 0 || scopes.includes('openid'),
      says('must hold openid', 'Without it there is no sign-in: add it.'),
    )
    .optional()
    .describe(
      'What the portal may ask for; offline_access: it gets refresh tokens. Default [openid, email, profile]. profile is every claim in may_assert.',
    ),
  algorithm: z
    .enum(ID_TOKEN_ALGORITHMS)
    .optional()
    .describe('What its id_tokens are signed with, by a key that the router makes and keeps. Default RS256.'),
  ...trustWords,
});
