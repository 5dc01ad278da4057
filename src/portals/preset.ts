/**
 * The model of a preset: everything that one kind of portal expects, as data. There are no regular expressions
 * over URLs, no conditions and no functions in it. What holds between its parts is checked in check-preset.ts.
 */
import { z } from 'zod';
import { HMAC_ALGORITHMS, PUBLIC_KEY_ALGORITHMS } from '../keys/keys.ts';

/** Part of the model that this version does not carry out; it is refused rather than ignored. */
const notYet = (what: string) => z.never({ error: `${what} is not carried out by this version` }).optional();

/** One accepted word where the model knows others. */
const onlyYet = <Word extends string>(word: Word, others: readonly string[]) =>
  z.literal(word, {
    error: ({ input }) =>
      others.includes(input as string)
        ? `"${input}" is not carried out by this version; only "${word}" is`
        : `expected "${word}"`,
  });

const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'a name: a letter, then letters, digits, _ or -');
const tokenParam = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, 'a parameter name: a letter, then letters, digits or _');
const template = z.string().min(1).meta({ description: 'Text with {config.name} and {request.name} in it' });
const source = z
  .string()
  .regex(
    /^(?:time\.(?:iat|exp)|random\.uuid|(?:user|config|request)\.[A-Za-z][A-Za-z0-9_-]*)$/,
    'a source: user.*, config.*, request.*, time.iat, time.exp or random.uuid',
  );
const seconds = z.int().positive();

const sourceDocument = z.strictObject({
  url: z.url(),
  evidence: z.enum(['vendor-doc', 'vendor-source', 'third-party', 'inferred']),
  seen: z.string().regex(/^\d{4}-\d{2}(?:-\d{2})?$/, 'a month or a day: 2026-04 or 2026-04-07'),
});

/** A setting that the operator fills in. `kind: url`: https (or http on loopback), origin and path only. */
const setting = z.strictObject({
  label: z.string().min(1),
  kind: z.enum(['text', 'url']).optional(),
  /** The whole value must match. */
  pattern: z.string().refine(isPattern, 'not a regular expression').optional(),
  required: z.boolean().optional(),
  default: z.string().optional(),
  example: z.string(),
});

const inboundUrl = z.strictObject({
  kind: onlyYet('absolute', ['relative', 'path']),
  /** Exact origin and path each; https, unless the operator's own setting is on loopback. */
  allow: z.array(template).min(1),
  /** Names that must not stand in its query, beside those that the token travels under. */
  reserved: z.array(tokenParam).optional(),
  /** Query parameters that must stand there exactly once, with this value. */
  pins: z.record(name, template).optional(),
});

const inboundParam = z.strictObject({
  role: z.enum(['redirect_uri', 'return_to', 'error_uri', 'state', 'nonce', 'tenant', 'replay_key', 'hint']).optional(),
  required: z.boolean().optional(),
  /** Characters, after decoding. Default 2,048. */
  max_length: z.int().positive().max(4096).optional(),
  equals: template.optional(),
  url: inboundUrl.optional(),
});

/** How the portal learns a key of one algorithm family, and how it reads the text of it. */
const keyRule = z.strictObject({
  encoding: z.enum(['utf8', 'pem', 'jwk']),
  min_bytes: z.int().positive().optional(),
  publish: z.enum(['shared', 'pem', 'jwks']),
});

/** One claim: exactly one of `from`, `const`, `template`. */
const claimRule = z.strictObject({
  required: z.boolean().optional(),
  /** Type that a value `from` somewhere must have; a string unless said. Times are numbers. */
  type: z.enum(['string', 'number', 'boolean', 'array', 'object']).optional(),
  from: source.optional(),
  const: z.union([z.string(), z.number(), z.boolean()]).optional(),
  template: template.optional(),
  default: z.union([z.string(), z.number(), z.boolean()]).optional(),
  enum: z
    .array(z.union([z.string(), z.number(), z.boolean()]))
    .min(1)
    .optional(),
  /** An array of strings is sent as one string, joined by this. */
  join: z.string().min(1).optional(),
  /** Unit of a time. Default seconds (RFC 7519 §2). */
  unit: z.enum(['s', 'ms']).optional(),
  privileged: notYet('a privileged claim'),
  claims: notYet('a nested claim'),
});

const token = z.strictObject({
  format: onlyYet('jws', ['discourse_connect']),
  /** The first is the default. */
  algs: z.array(z.enum([...HMAC_ALGORITHMS, ...PUBLIC_KEY_ALGORITHMS])).min(1),
  keys: z.partialRecord(z.enum(['HS', 'RS', 'PS', 'ES', 'EdDSA']), keyRule),
  header: notYet('a header of the preset’s own'),
  /** Claims in the order in which they are written. */
  claims: z.record(z.string().regex(/^[A-Za-z][!-~]{0,127}$/, 'a claim name of printable characters'), claimRule),
  /** Of each group at most one claim is sent: the first that has a value. */
  at_most_one: z.array(z.array(z.string()).min(2)).optional(),
  /** `exp` − `iat`, seconds. */
  lifetime: z.strictObject({ default: seconds, max: seconds }),
  /** The portal's own rules, seconds: the oldest `iat` it takes, and how far clocks may differ. */
  max_age: seconds.optional(),
  clock_tolerance: seconds.optional(),
  /** What the portal accepts once only. */
  replay: z.enum(['jti', 'request_key', 'nonce', 'none']),
});

const target = z.strictObject({
  /** The inbound parameter that holds the return address; it needs `role: redirect_uri`. */
  from_param: name.optional(),
  /** Where the token goes without one. */
  url: template,
  append_path: notYet('append_path'),
});

const response = z.strictObject({
  mode: z.enum(['query', 'fragment', 'form_post', 'path'], {
    error: ({ input }) => (input === 'code' ? '"code" is not carried out by this version' : undefined),
  }),
  /** `null`: a bare fragment, or the token as last part of the path. */
  token_param: tokenParam.nullable(),
  /** Field of the form where the token may also be posted; the operator chooses it with `delivery`. */
  form_post_param: tokenParam.optional(),
  target,
  /** Added to the query of the target, `form_post` included. */
  params: z.record(name, source).optional(),
});

export const presetSchema = z.strictObject({
  schema: z.literal(1),
  id: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'a name of lower-case letters, digits and _'),
  title: z.string().min(1),
  sources: z.array(sourceDocument),
  /** JSON pointers (RFC 6901) to what is inferred rather than documented. */
  unverified: z.array(z.string().startsWith('/')).optional(),
  config: z.record(name, setting),
  authn_request: z.strictObject({
    encoding: onlyYet('query', ['signed_jwt', 'discourse_connect']),
    params: z.record(name, inboundParam),
  }),
  token,
  authn_response: response,
  /** A login that starts from a link in an app; absent or `false`: the portal takes none. */
  unsolicited: z.union([z.literal(false), response.partial()]).optional(),
  guest: notYet('guest'),
  error: notYet('error'),
  logout: notYet('logout'),
});

export type PortalPreset = z.infer<typeof presetSchema>;
export type SettingRule = z.infer<typeof setting>;
export type ClaimRule = z.infer<typeof claimRule>;
export type TokenRule = z.infer<typeof token>;
export type ResponseRule = z.infer<typeof response>;
export type InboundParam = z.infer<typeof inboundParam>;

/** Settings that every preset may name and no operator writes: the origin of the Remote Login URL. */
export const LOGIN_ORIGIN = 'login_origin';

/** How a login that nobody's portal asked for is answered; `undefined` where there is no such thing. */
export function unsolicitedResponse(preset: PortalPreset): ResponseRule | undefined {
  if (!preset.unsolicited) return undefined;
  const said = Object.entries(preset.unsolicited).filter(([, value]) => value !== undefined);
  return { ...preset.authn_response, ...Object.fromEntries(said) };
}

/** The inbound parameter that holds the return address, where the preset has one. */
export function returnParam(preset: PortalPreset): string | undefined {
  return Object.entries(preset.authn_request.params).find(([, param]) => param.role === 'redirect_uri')?.[0];
}

/** `RS256` → `RS`: the key of `token.keys`. */
export const algorithmFamily = (algorithm: string): 'HS' | 'RS' | 'PS' | 'ES' | 'EdDSA' =>
  algorithm === 'EdDSA' ? 'EdDSA' : (algorithm.slice(0, 2) as 'HS' | 'RS' | 'PS' | 'ES');

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}
