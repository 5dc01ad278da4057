/** The part of the preset model that says what a portal wants to hear, and how it is signed. */
import { z } from 'zod';
import { HMAC_ALGORITHMS, PUBLIC_KEY_ALGORITHMS } from '../keys/keys.ts';
import { claimName, name, scalar, seconds, source, template } from './preset-words.ts';

/** How the portal learns a key of one algorithm family, and how it reads the text of it. */
const keyRule = z.strictObject({
  encoding: z
    .enum(['utf8', 'base64', 'pem', 'jwk'])
    .describe(
      '`utf8`: the secret is its text. `base64`: the secret is what its text decodes to (either alphabet of RFC 4648). Of a key pair: `pem` or `jwk`.',
    ),
  min_bytes: z.int().positive().optional().describe('Of a secret, after decoding.'),
  publish: z
    .enum(['shared', 'pem', 'jwks'])
    .describe('Both know the secret, the operator pastes the public key, or the portal fetches it.'),
  generated_by: z
    .enum(['portal', 'operator'])
    .optional()
    .describe(
      '`portal`: the portal hands the key out, so the router cannot make one. Default: the operator or the router does.',
    ),
});

/** A claim that is no object made here: exactly one of `from`, `const`, `template`. */
const plainClaim = z
  .strictObject({
    required: z.boolean().optional().describe('Without a value the login is refused. Default false: it is left out.'),
    type: z
      .enum(['string', 'number', 'boolean', 'array', 'object'])
      .optional()
      .describe('Type that a value `from` somewhere must have. Default `string`; times are numbers.'),
    from: source
      .optional()
      .describe(
        'Where it comes from: `user.*` (what the environment says), `config.*`, `request.*`, `time.iat`, `time.exp`, `session.exp`, `random.uuid`.',
      ),
    const: scalar.optional().describe('Always this.'),
    template: template.optional().describe('Text with `{config.name}` and `{request.name}` in it.'),
    default: scalar.optional().describe('Where there is no value, or none that may be sent.'),
    otherwise: z
      .literal('user.email')
      .optional()
      .describe('The same, for an identifier: the email, which no two people share.'),
    enum: z.array(scalar).min(1).optional().describe('The only values that are sent.'),
    join: z.string().min(1).optional().describe('An array of strings is sent as one string, joined by this.'),
    unit: z.enum(['s', 'ms']).optional().describe('Unit of a time. Default seconds (RFC 7519 §2).'),
    privileged: z
      .union([z.boolean(), z.array(scalar).min(1)])
      .optional()
      .describe(
        'It gives rights in the portal (a role, `admin`), or says whose account this is: sent only where the environment was granted it (`may_assert.grants`), else `default` or `otherwise` is. A list: this holds for these values of its `enum` alone.',
      ),
  })
  .meta({ id: 'claim' });

const claimRule = plainClaim.extend({
  claims: z
    .record(claimName, plainClaim)
    .optional()
    .describe('An object, made of the claims in it. One that is not required is left out when nothing is in it.'),
});

export const tokenSchema = z.strictObject({
  format: z
    .enum(['jws', 'discourse_connect'])
    .describe(
      '`jws`: a JWT. `discourse_connect`: the claims as a query string in base64, and its signature beside it.',
    ),
  algs: z
    .array(z.enum([...HMAC_ALGORITHMS, ...PUBLIC_KEY_ALGORITHMS]))
    .min(1)
    .describe('Those that `signing.algorithm` may name; the first stands in the examples of the docs.'),
  keys: z
    .partialRecord(z.enum(['HS', 'RS', 'PS', 'ES', 'EdDSA']), keyRule)
    .describe('How the portal learns the key, by family of algorithms: `HS`, `RS`, `PS`, `ES`, `EdDSA`.'),
  header: z
    .record(name, template)
    .optional()
    .describe('Members of the header beside `alg` and `typ`, for HS* algorithms: `kid`.'),
  claims: z.record(claimName, claimRule).describe('By name, in the order in which they are written.'),
  at_most_one: z
    .array(z.array(z.string()).min(2))
    .optional()
    .describe('Groups of claims of which at most one is sent: the first that has a value.'),
  lifetime: z
    .strictObject({
      default: seconds.describe('Unless `token_lifetime` says otherwise.'),
      max: seconds.describe('The longest that `token_lifetime` may say.'),
    })
    .describe('`exp` − `iat`, seconds.'),
  session: seconds
    .optional()
    .describe('How long the portal shall keep the person signed in, seconds: for claims from `session.exp`.'),
  max_age: seconds.optional().describe('The oldest `iat` that the portal takes, seconds.'),
  clock_tolerance: seconds.optional().describe('How far clocks may differ for the portal, seconds.'),
  expects: z
    .strictObject({
      iss: template.optional().describe('The issuer.'),
      aud: template.optional().describe('The audience.'),
    })
    .optional()
    .describe(
      'What the portal compares `iss` and `aud` with, written down a second time, from the portal’s side: a token that says anything else is not sent. An empty text: the portal does not compare.',
    ),
  replay: z
    .enum(['jti', 'request_key', 'nonce', 'none'])
    .describe('What the portal accepts once only: `jti` of our own, or the key or nonce of its request.'),
});

/**
 * A token that was traded for answers no request of the portal: it is the token of a login in which every parameter is
 * absent, but for these claims, which stand in place of those of the same name or are added. About the person it says
 * what a login's token says. Where a required claim comes from the request, `traded` has to say what it is instead;
 * without it, nothing can be traded for this portal.
 */
export const tradedSchema = z.strictObject({
  claims: z
    .record(claimName, plainClaim)
    .describe('In place of those of the same name, or beside the others, by name: as under `token.claims`.'),
  replay: z.enum(['jti', 'none']).describe('As `token.replay`; there is no request that it could be tied to.'),
});

export type KeyRule = z.infer<typeof keyRule>;
export type PlainClaim = z.infer<typeof plainClaim>;
export type ClaimRule = z.infer<typeof claimRule>;
export type TokenRule = z.infer<typeof tokenSchema>;

/** `RS256` → `RS`: the key of `token.keys`. */
export const algorithmFamily = (algorithm: string): 'HS' | 'RS' | 'PS' | 'ES' | 'EdDSA' =>
  algorithm === 'EdDSA' ? 'EdDSA' : (algorithm.slice(0, 2) as 'HS' | 'RS' | 'PS' | 'ES');

type PlacedClaim = { readonly name: string; readonly at: readonly string[]; readonly rule: ClaimRule };

/** Every claim, those inside an object (`u.email`) after the object itself; `at` is its place in the preset. */
export function allClaims(token: TokenRule): PlacedClaim[] {
  return Object.entries(token.claims).flatMap(([outer, rule]) => {
    const at = ['token', 'claims', outer];
    const members = Object.entries(rule.claims ?? {});
    return [
      { name: outer, at, rule },
      ...members.map(([inner, member]) => ({ name: `${outer}.${inner}`, at: [...at, 'claims', inner], rule: member })),
    ];
  });
}
