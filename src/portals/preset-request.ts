/** The part of the preset model that says what a portal asks on the Remote Login URL. */
import { z } from 'zod';
import { HMAC_ALGORITHMS } from '../keys/keys.ts';
import { name, seconds, template, tokenParam } from './preset-words.ts';

/** An address that the request brings. It is judged when it arrives; see redirect-uri.ts and relative-url.ts. */
const inboundUrl = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('absolute'),
    /** Exact origin and path each; https, unless the operator's own setting is on loopback. */
    allow: z.array(template).min(1).optional(),
    /**
     * Exact origin, and a path that begins with this one, which ends in `/`. What follows has plain segments only, or,
     * in an address that is only handed back (`role: return_to`), is judged as a `relative` one.
     */
    allow_prefix: z.array(template).min(1).optional(),
    /** Names that must not stand in its query, beside those that the token travels under. */
    reserved: z.array(tokenParam).optional(),
    /** Query parameters that must stand there exactly once, with this value. */
    pins: z.record(name, template).optional(),
  }),
  z.strictObject({
    /** A path of the portal's own site, from its first `/` on, with a query and a fragment where it has them. */
    kind: z.literal('relative'),
    /**
     * The portal writes it into its query as it is: when it begins with a bare `/`, everything after it belongs
     * to it, `&` included.
     */
    unencoded: z.boolean().optional(),
  }),
  /** A path alone, with or without its first `/`. */
  z.strictObject({ kind: z.literal('path') }),
]);

const inboundParam = z.strictObject({
  role: z.enum(['redirect_uri', 'return_to', 'error_uri', 'state', 'nonce', 'tenant', 'replay_key', 'hint']).optional(),
  required: z.boolean().optional(),
  /** Characters, after decoding. Default 2,048. */
  max_length: z.int().positive().max(4096).optional(),
  equals: template.optional(),
  url: inboundUrl.optional(),
  /** In a signed_jwt, a claim of any type: what claims are made `from` it has that type again. */
  json: z.boolean().optional(),
});

const params = z.record(name, inboundParam);

/**
 * `query`: plain parameters. `signed_jwt`: one parameter holds a JWT that the portal signed with the shared secret;
 * its claims are the parameters. `discourse_connect`: `sso` holds them as a query string in base64, and `sig` the
 * hexadecimal HMAC-SHA256 of that base64 text.
 */
export const requestSchema = z.discriminatedUnion('encoding', [
  z.strictObject({ encoding: z.literal('query'), params }),
  z.strictObject({
    encoding: z.literal('signed_jwt'),
    jwt_param: name,
    algs: z.array(z.enum(HMAC_ALGORITHMS)).min(1),
    /** What the header's `kid` must be; absent: it is not looked at. */
    kid: template.optional(),
    /** The longest `exp` − `iat` that is taken, seconds. */
    max_lifetime: seconds,
    params,
  }),
  z.strictObject({ encoding: z.literal('discourse_connect'), params }),
]);

export type RequestRule = z.infer<typeof requestSchema>;
export type InboundParam = z.infer<typeof inboundParam>;
export type InboundUrl = z.infer<typeof inboundUrl>;

/** The parameters of the address itself, where they are not `params`: what holds those. */
export function outerNames(rule: RequestRule): readonly string[] {
  if (rule.encoding === 'signed_jwt') return [rule.jwt_param];
  return rule.encoding === 'discourse_connect' ? ['sso', 'sig'] : [];
}
