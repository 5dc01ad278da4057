/** The part of the preset model that says what a portal asks on the Remote Login URL. */
import { z } from 'zod';
import { HMAC_ALGORITHMS } from '../keys/keys.ts';
import { name, seconds, template, tokenParam } from './preset-words.ts';

/** An address that the request brings. It is judged when it arrives; see redirect-uri.ts and relative-url.ts. */
const inboundUrl = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('absolute').describe('A whole address.'),
    allow: z
      .array(template)
      .min(1)
      .optional()
      .describe('Exact origin and path each; https, unless the operator’s own setting is on loopback.'),
    allow_prefix: z
      .array(template)
      .min(1)
      .optional()
      .describe(
        'Exact origin, and a path that begins with this one, which ends in `/`. What follows has plain segments only, or, in an address that is only handed back (`role: return_to`), is judged as a `relative` one.',
      ),
    reserved: z
      .array(tokenParam)
      .optional()
      .describe('Names that must not stand in its query, beside those that the token travels under.'),
    pins: z
      .record(name, template)
      .optional()
      .describe('Query parameters that must stand there exactly once, with this value.'),
  }),
  z.strictObject({
    kind: z
      .literal('relative')
      .describe(
        'A path of the portal’s own site, from its first `/` on, with a query and a fragment where it has them.',
      ),
    unencoded: z
      .boolean()
      .optional()
      .describe(
        'The portal writes it into its query as it is: when it begins with a bare `/`, everything after it belongs to it, `&` included. Default false.',
      ),
  }),
  z.strictObject({ kind: z.literal('path').describe('A path alone, with or without its first `/`.') }),
]);

const inboundParam = z
  .strictObject({
    role: z
      .enum(['redirect_uri', 'return_to', 'error_uri', 'state', 'nonce', 'tenant', 'replay_key', 'hint'])
      .optional()
      .describe(
        'What it is: the address that the token is sent to, one that is only handed back, one for errors; what comes back as it was; what ties the token to this request; whose portal it is (`equals`); a hint.',
      ),
    required: z.boolean().optional().describe('Default false.'),
    max_length: z.int().positive().max(4096).optional().describe('Characters, after decoding. Default 2048.'),
    equals: template.optional().describe('The only value that is taken.'),
    url: inboundUrl.optional().describe('Needed where it is an address: how it is judged.'),
    json: z
      .boolean()
      .optional()
      .describe('In a `signed_jwt`, a claim of any type: what claims are made `from` it has that type again.'),
  })
  .meta({ id: 'parameter' });

const params = z.record(name, inboundParam).describe('By name; parameters that are not named are ignored.');

/** Plain parameters, or parameters that the portal signed with the shared secret. */
export const requestSchema = z.discriminatedUnion('encoding', [
  z.strictObject({ encoding: z.literal('query').describe('Plain parameters.'), params }),
  z.strictObject({
    encoding: z
      .literal('signed_jwt')
      .describe(
        'One parameter holds a JWT that the portal signed with the shared secret; its claims are the parameters.',
      ),
    jwt_param: name.describe('The parameter that holds it.'),
    algs: z.array(z.enum(HMAC_ALGORITHMS)).min(1).describe('Those that it may be signed with.'),
    kid: template.optional().describe('What the header’s `kid` must be; absent: it is not looked at.'),
    max_lifetime: seconds.describe('The longest `exp` − `iat` that is taken, seconds.'),
    params,
  }),
  z.strictObject({
    encoding: z
      .literal('discourse_connect')
      .describe('`sso` holds them as a query string in base64, and `sig` the hexadecimal HMAC-SHA256 of that text.'),
    params,
  }),
]);

export type RequestRule = z.infer<typeof requestSchema>;
export type InboundParam = z.infer<typeof inboundParam>;
export type InboundUrl = z.infer<typeof inboundUrl>;

/** The parameters of the address itself, where they are not `params`: what holds those. */
export function outerNames(rule: RequestRule): readonly string[] {
  if (rule.encoding === 'signed_jwt') return [rule.jwt_param];
  return rule.encoding === 'discourse_connect' ? ['sso', 'sig'] : [];
}
