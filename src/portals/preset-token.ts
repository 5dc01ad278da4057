/** The part of the preset model that says what a portal wants to hear, and how it is signed. */
import { z } from 'zod';
import { HMAC_ALGORITHMS, PUBLIC_KEY_ALGORITHMS } from '../keys/keys.ts';
import { claimName, name, scalar, seconds, source, template } from './preset-words.ts';

/** How the portal learns a key of one algorithm family, and how it reads the text of it. */
const keyRule = z.strictObject({
  /** `utf8`: the secret is its text. `base64`: the secret is what its text decodes to (either alphabet of RFC 4648). */
  encoding: z.enum(['utf8', 'base64', 'pem', 'jwk']),
  /** Of a secret, after decoding. */
  min_bytes: z.int().positive().optional(),
  /** Both know the secret, the operator pastes the public key, or the portal fetches it. */
  publish: z.enum(['shared', 'pem', 'jwks']),
  /** `portal`: the portal hands the key out, so the router cannot make one. Default: the operator or the router does. */
  generated_by: z.enum(['portal', 'operator']).optional(),
});

/** A claim that is no object made here: exactly one of `from`, `const`, `template`. */
const plainClaim = z.strictObject({
  required: z.boolean().optional(),
  /** Type that a value `from` somewhere must have; a string unless said. Times are numbers. */
  type: z.enum(['string', 'number', 'boolean', 'array', 'object']).optional(),
  from: source.optional(),
  const: scalar.optional(),
  template: template.optional(),
  default: scalar.optional(),
  /** Where there is no value, or none that may be sent: the email, which no two people share. For an identifier. */
  otherwise: z.literal('user.email').optional(),
  enum: z.array(scalar).min(1).optional(),
  /** An array of strings is sent as one string, joined by this. */
  join: z.string().min(1).optional(),
  /** Unit of a time. Default seconds (RFC 7519 §2). */
  unit: z.enum(['s', 'ms']).optional(),
  /**
   * It gives rights in the portal (a role, `admin`), or says whose account this is: sent only where the environment
   * was granted it, else the `default` is, or what stands in `otherwise`. A list: this holds for these values of its
   * `enum` alone.
   */
  privileged: z.union([z.boolean(), z.array(scalar).min(1)]).optional(),
});

/** `claims`: an object, made of the claims in it. One that is not required is left out when nothing is in it. */
const claimRule = plainClaim.extend({ claims: z.record(claimName, plainClaim).optional() });

export const tokenSchema = z.strictObject({
  /** `jws`: a JWT. `discourse_connect`: the claims as a query string in base64, and its signature beside it. */
  format: z.enum(['jws', 'discourse_connect']),
  /** The first is the default. */
  algs: z.array(z.enum([...HMAC_ALGORITHMS, ...PUBLIC_KEY_ALGORITHMS])).min(1),
  keys: z.partialRecord(z.enum(['HS', 'RS', 'PS', 'ES', 'EdDSA']), keyRule),
  /** Members of the header beside `alg` and `typ`, for HS* algorithms: `kid`. */
  header: z.record(name, template).optional(),
  /** Claims in the order in which they are written. */
  claims: z.record(claimName, claimRule),
  /** Of each group at most one claim is sent: the first that has a value. */
  at_most_one: z.array(z.array(z.string()).min(2)).optional(),
  /** `exp` − `iat`, seconds. */
  lifetime: z.strictObject({ default: seconds, max: seconds }),
  /** How long the portal shall keep the person signed in, seconds: for claims from `session.exp`. */
  session: seconds.optional(),
  /** The portal's own rules, seconds: the oldest `iat` it takes, and how far clocks may differ. */
  max_age: seconds.optional(),
  clock_tolerance: seconds.optional(),
  /**
   * What the portal compares `iss` and `aud` with, written down a second time, from the portal's side: a token
   * that says anything else is not sent. An empty text: the portal does not compare.
   */
  expects: z.strictObject({ iss: template.optional(), aud: template.optional() }).optional(),
  /** What the portal accepts once only. */
  replay: z.enum(['jti', 'request_key', 'nonce', 'none']),
});

/**
 * A token that was traded for answers no request of the portal: it is the token of a login in which every parameter is
 * absent, but for these claims, which stand in place of those of the same name or are added. About the person it says
 * what a login's token says. Where a required claim comes from the request, `traded` has to say what it is instead;
 * without it, nothing can be traded for this portal.
 */
export const tradedSchema = z.strictObject({
  claims: z.record(claimName, plainClaim),
  /** As `token.replay`; there is no request that it could be tied to. */
  replay: z.enum(['jti', 'none']),
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
