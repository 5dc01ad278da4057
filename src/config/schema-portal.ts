import { z } from 'zod';
import { HMAC_ALGORITHMS, PUBLIC_KEY_ALGORITHMS } from '../keys/keys.ts';
import { relyingPartySchema } from './schema-relying-party.ts';
import { assertedName, duration, instant, name, parameter, path, secret, some, text, url } from './schema-words.ts';

export const algorithm = z.enum([...HMAC_ALGORITHMS, ...PUBLIC_KEY_ALGORITHMS]);

const next = z.strictObject({
  secret: secret.optional().describe('In place of secret from then on.'),
  private_key: secret.optional().describe('In place of private_key from then on; published at once.'),
  at: instant.describe('When the other one takes over: the moment at which the portal is told to take it.'),
});

const signing = z.strictObject({
  algorithm: algorithm.describe('JWS algorithm of the portal token; one that the preset lists.'),
  secret: secret.optional().describe('For HS256, HS384, HS512: what router and portal share.'),
  private_key: secret
    .optional()
    .describe('For public-key algorithms: a PEM. Without it the router makes a key and keeps it.'),
  next: next.optional().describe('A cut-over to another secret or key at a stated time. See docs/keys.md.'),
});

const delivery = z.strictObject({
  mode: z.enum(['query', 'form_post']).optional().describe('In the query of the return address, or posted as a form.'),
  param: parameter.optional().describe('The parameter or form field that holds the token.'),
  unsolicited_param: parameter
    .optional()
    .describe('The same for a login that a link in the app started, where that differs.'),
});

/** For editors; checking says the same with a remedy of its own (relying-party-rules.ts). */
const EITHER = { if: { required: ['oidc'] }, else: { required: ['preset', 'login_path', 'signing'] } };

/** One entry of `portals`: with a preset, or a relying party. */
export const portalSchema = z
  .strictObject({
    title: text.optional().describe('What people read. Default: the name.'),
    oidc: relyingPartySchema
      .optional()
      .describe(
        'In place of a preset: the portal signs people in with any OpenID provider, and the router is that provider.',
      ),
    preset: text.optional().describe('A built-in preset, or a path to a preset file. Required without oidc.'),
    login_path: path.optional().describe('The Remote Login URL is public_url and this. Required without oidc.'),
    logout_path: path.optional().describe('The Remote Logout URL is public_url and this.'),
    settings: z.record(z.string(), z.string()).optional().describe('What the preset asks for.'),
    signing: signing.optional().describe('What portal tokens are signed with. Required without oidc.'),
    token_lifetime: duration.optional().describe('exp − iat of the portal token. Default: what the preset says.'),
    claims: z
      .record(z.string(), assertedName)
      .optional()
      .describe(
        'Where environments call a claim otherwise than the preset does: claim of the token → claim that they say, such as `{ first_name: given_name }`.',
      ),
    delivery: delivery.optional().describe('How the token reaches the portal. Default: what the preset says.'),
    environments: some(name).optional().describe('Only these environments. Default: all.'),
    allow_redirects: some(url)
      .optional()
      .describe(
        'Return addresses beside the preset’s own: origin and path, exact; one that ends in / allows everything below it.',
      ),
    metadata_at_login_path: z
      .boolean()
      .optional()
      .describe('Answer with the metadata on the login path where JSON is asked for. Default false.'),
    home_url: url.optional().describe('The portal’s own start page; needed for logout.then: portal.'),
  })
  .meta(EITHER);
