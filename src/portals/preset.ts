/**
 * The model of a preset: everything that one kind of portal expects, as data. There are no regular expressions
 * over URLs, no conditions and no functions in it. What holds between its parts is checked in check-preset.ts.
 */
import { z } from 'zod';
import { requestSchema } from './preset-request.ts';
import { tokenSchema, tradedSchema } from './preset-token.ts';
import { name, source, template, tokenParam } from './preset-words.ts';

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
  /** Where the operator writes nothing. It may name required settings: `https://{config.subdomain}.example.com`. */
  default: z.string().optional(),
  example: z.string(),
});

const target = z.strictObject({
  /** The inbound parameter that holds the return address; it needs `role: redirect_uri`. */
  from_param: name.optional(),
  /** Where the token goes without one. */
  url: template,
  /** The inbound parameter, of `kind: path`, that is put behind the path of `url`. */
  append_path: name.optional(),
});

const response = z.strictObject({
  mode: z.enum(['query', 'fragment', 'form_post', 'path'], {
    error: ({ input }) => (input === 'code' ? '"code" is not carried out by this version' : undefined),
  }),
  /** `null`: a bare fragment, or the token as last part of the path. */
  token_param: tokenParam.nullable(),
  /** With `format: discourse_connect`: the parameter beside it that holds the signature. */
  signature_param: tokenParam.optional(),
  /** Field of the form where the token may also be posted; the operator chooses it with `delivery`. */
  form_post_param: tokenParam.optional(),
  target,
  /** Added to the query of the target, `form_post` included. */
  params: z.record(name, source).optional(),
});

const logout = z.strictObject({
  /** What the portal sends to the Remote Logout URL. None of it is believed. */
  request_params: z.array(name).optional(),
  /** Those in which it says that a sign-in failed; a person who arrives with one did not ask to sign out. */
  error_params: z.array(name).min(1).optional(),
  /** The portal's address that ends the session there. */
  end_session_endpoint: template.optional(),
  /** Its parameter for where to go afterwards. */
  post_logout_redirect_param: tokenParam.optional(),
});

export const presetSchema = z.strictObject({
  schema: z.literal(1),
  id: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'a name of lower-case letters, digits and _'),
  title: z.string().min(1),
  sources: z.array(sourceDocument),
  /** JSON pointers (RFC 6901) to what is inferred rather than documented. */
  unverified: z.array(z.string().startsWith('/')).optional(),
  /** What to do in the product's own settings, a sentence each, with {login_url}, {logout_url}, {issuer}, {config.name}. */
  setup: z.array(z.string().min(1)).optional(),
  config: z.record(name, setting),
  authn_request: requestSchema,
  token: tokenSchema,
  authn_response: response,
  /** A login that starts from a link in an app; absent or `false`: the portal takes none. */
  unsolicited: z.union([z.literal(false), response.partial()]).optional(),
  /** What differs in a token that an environment's backend, or a page of its app, traded for (`/api/auth/jwt`). */
  traded: tradedSchema.optional(),
  /** The portal takes a token about nobody for a visitor who is not signed in. */
  guest: z.literal('signed_empty_user').optional(),
  /** Where the portal sends a person whose token it refuses: an address that travels beside the token. */
  error: z.strictObject({ param: name, value: source }).optional(),
  logout: logout.optional(),
});

export type PortalPreset = z.infer<typeof presetSchema>;
export type SettingRule = z.infer<typeof setting>;
export type ResponseRule = z.infer<typeof response>;

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

/** Names of what travels beside the token: its signature, echoes, the address for errors. */
export const besideToken = ({ error }: PortalPreset, rule: ResponseRule): string[] => [
  ...(rule.signature_param === undefined ? [] : [rule.signature_param]),
  ...Object.keys(rule.params ?? {}),
  ...(error ? [error.param] : []),
];

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}
