import { z } from 'zod';
import { PUBLIC_KEY_ALGORITHMS } from '../keys/keys.ts';
import { says } from './schema-problems.ts';
import { trustWords } from './schema-trust.ts';
import { claimSources, duration, secret, some, text, url } from './schema-words.ts';

const algorithm = z.enum(PUBLIC_KEY_ALGORITHMS);

/** RFC 6749 §3.3: a list is written, so that none holds a space. */
const scope = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, says('must be one scope', 'Write a list: [openid, email, profile].'));

const PROMPT = says('must be words of OpenID Connect Core §3.1.2.1', 'Write login, consent, select_account or none.');

const endpoints = z.strictObject({
  authorization: url.describe('Where the browser goes to be signed in.'),
  token: url.describe('Where the router trades the code for tokens.'),
  jwks: url.describe('Its public keys.'),
  userinfo: url.optional().describe('Where the router asks for more about a person.'),
  end_session: url.optional().describe('Where the browser goes to sign out.'),
});

/** `login` with `protocol: oidc`: the environment is an OpenID provider, the router its client. */
export const oidcSchema = z.strictObject({
  protocol: z.literal('oidc').describe('It is an OpenID provider; the router is its client.'),
  issuer: url.describe('Its issuer, byte for byte as in its metadata and its tokens.'),
  client_id: text.describe('What the provider calls the router.'),
  client_secret: secret.optional().describe('What router and provider share.'),
  private_key: secret.optional().describe('In place of a secret: a PEM, whose public half the provider knows.'),
  client_auth: z
    .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
    .optional()
    .describe(
      'How the router proves itself (OIDC Core §9). Default: client_secret_basic with a client_secret, private_key_jwt with a private_key, none with neither.',
    ),
  client_algorithm: algorithm
    .optional()
    .describe('What private_key_jwt signs with. Default by the key: RS256, ES256, ES384, ES512 or EdDSA.'),
  endpoints: endpoints.optional().describe('For a provider without metadata. Default: what its metadata says.'),
  iss_parameter: z
    .enum(['sent', 'not_sent'])
    .optional()
    .describe(
      'Beside endpoints: whether its answers name the issuer (RFC 9207). Default sent; without endpoints its metadata says it.',
    ),
  algorithms: some(algorithm)
    .optional()
    .describe('What its id_tokens may be signed with. Default: each of these, as its keys allow.'),
  scopes: some(scope)
    .refine(
      (scopes) => scopes.length === 0 || scopes.includes('openid'),
      says('must hold openid', 'Without it there is no id_token: add it.'),
    )
    .optional()
    .describe('What is asked for. Default [openid, email, profile].'),
  userinfo: z
    .enum(['when_needed', 'always', 'never'])
    .optional()
    .describe('Whether its userinfo endpoint is asked, too. Default when_needed: where the id_token has no email.'),
  response_mode: z
    .enum(['query', 'form_post'])
    .optional()
    .describe('How the code comes back: in the return address, or posted as a form. Default query.'),
  claims: claimSources
    .optional()
    .describe('Claims that have another name there: `{ email: upn }`; of a list, the first that is there.'),
  prompt: z
    .string({ error: PROMPT })
    .regex(/^(?:none|(?!none\b)[a-z_]+(?: (?!none\b)[a-z_]+)*)$/, { error: PROMPT })
    .optional()
    .describe('Passed on: login, consent, select_account; or none alone.'),
  acr_values: z
    .union([text, some(text)], { error: says('must be a text or a list of texts', 'Write [mfa, pwd].') })
    .optional()
    .describe('Passed on: how people have to prove who they are.'),
  max_age: duration.optional().describe('The longest time since a person last did. Default: any.'),
  end_session: z
    .literal('not_used')
    .optional()
    .describe('A sign-out does not go through its end_session_endpoint. Default: it does, where there is one.'),
  ...trustWords,
});
