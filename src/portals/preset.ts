/**
 * The model of a preset: everything that one kind of portal expects, as data. There are no regular expressions
 * over URLs, no conditions and no functions in it. What holds between its parts is checked in check-preset.ts.
 */
import { z } from 'zod';
import { requestSchema } from './preset-request.ts';
import { tokenSchema, tradedSchema } from './preset-token.ts';
import { name, source, template, tokenParam } from './preset-words.ts';

const sourceDocument = z.strictObject({
  url: z.url().describe('Where it was read.'),
  evidence: z.enum(['vendor-doc', 'vendor-source', 'third-party', 'inferred']).describe('Whose word it is.'),
  seen: z
    .string()
    .regex(/^\d{4}-\d{2}(?:-\d{2})?$/, 'a month or a day: 2026-04 or 2026-04-07')
    .describe('When: a month or a day.'),
});

/** A setting that the operator fills in. */
const setting = z.strictObject({
  label: z.string().min(1).describe('What it is, in the product’s own words.'),
  kind: z
    .enum(['text', 'url'])
    .optional()
    .describe('`url`: https (or http on loopback), origin and path only. Default `text`, which needs a `pattern`.'),
  pattern: z
    .string()
    .refine(isPattern, 'not a regular expression')
    .optional()
    .describe('A regular expression that the whole value must match.'),
  required: z.boolean().optional().describe('Default false.'),
  default: z
    .string()
    .optional()
    .describe(
      'Where the operator writes nothing. It may name required settings: `https://{config.subdomain}.example.com`.',
    ),
  example: z.string().describe('A value as it may be, for docs and messages.'),
});

const target = z.strictObject({
  from_param: name
    .optional()
    .describe('The inbound parameter that holds the return address; it needs `role: redirect_uri`.'),
  url: template.describe('Where the token goes without one.'),
  append_path: name
    .optional()
    .describe('The inbound parameter, of `kind: path`, that is put behind the path of `url`.'),
});

const response = z.strictObject({
  mode: z
    .enum(['query', 'fragment', 'form_post', 'path'], {
      error: ({ input }) => (input === 'code' ? '"code" is not carried out by this version' : undefined),
    })
    .describe('What carries the token.'),
  token_param: tokenParam
    .nullable()
    .describe('Its name there. `null`: a bare fragment, or the token as last part of the path.'),
  signature_param: tokenParam
    .optional()
    .describe('With `format: discourse_connect`: the parameter beside it that holds the signature.'),
  form_post_param: tokenParam
    .optional()
    .describe('Field of the form where the token may also be posted; the operator chooses it with `delivery`.'),
  target: target.describe('The address.'),
  params: z
    .record(name, source)
    .optional()
    .describe('What else travels there, by name: `config.*` and `request.*`, in the query also with `form_post`.'),
});

const logout = z.strictObject({
  request_params: z
    .array(name)
    .optional()
    .describe('What the portal sends to the Remote Logout URL. None of it is believed.'),
  error_params: z
    .array(name)
    .min(1)
    .optional()
    .describe('Those in which it says that a sign-in failed; a person who arrives with one did not ask to sign out.'),
  end_session_endpoint: template.optional().describe('The portal’s address that ends the session there.'),
  post_logout_redirect_param: tokenParam.optional().describe('Its parameter for where to go afterwards.'),
});

export const presetSchema = z.strictObject({
  schema: z.literal(1).describe('The version of this form.'),
  id: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/, 'a name of lower-case letters, digits and _')
    .describe('Its name: lower-case letters, digits and `_`.'),
  title: z.string().min(1).describe('The product, as people know it.'),
  sources: z.array(sourceDocument).describe('What it was read in.'),
  unverified: z
    .array(z.string().startsWith('/'))
    .optional()
    .describe('JSON pointers (RFC 6901) to what is inferred rather than documented.'),
  setup: z
    .array(z.string().min(1))
    .optional()
    .describe(
      'What to do in the product’s own settings, a sentence each, with `{login_url}`, `{logout_url}`, `{issuer}`, `{config.name}`.',
    ),
  config: z.record(name, setting).describe('What the operator writes under `settings`, by name.'),
  authn_request: requestSchema.describe('What the portal sends to the Remote Login URL.'),
  token: tokenSchema.describe('What it wants to hear, and how that is signed.'),
  authn_response: response.describe('How that reaches it.'),
  unsolicited: z
    .union([z.literal(false), response.partial()])
    .optional()
    .describe(
      'A login that starts from a link in an app: what differs from `authn_response`; `{}` for nothing. Absent or `false`: the portal takes none.',
    ),
  traded: tradedSchema
    .optional()
    .describe('What differs in a token that an environment’s backend, or a page of its app, traded for.'),
  guest: z
    .literal('signed_empty_user')
    .optional()
    .describe('The portal takes a token about nobody for a visitor who is not signed in.'),
  error: z
    .strictObject({
      param: name.describe('What that address is called beside the token.'),
      value: source.describe('Where it comes from: `config.*` or `request.*`.'),
    })
    .optional()
    .describe('Where the portal sends a person whose token it refuses: an address that travels beside the token.'),
  logout: logout.optional().describe('Signing out, as far as the portal has a say in it.'),
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
