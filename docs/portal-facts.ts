import { carriedClaims, neededClaims, privilegedClaims } from '../src/portals/claim-plan.ts';
import type { PortalPreset } from '../src/portals/preset.ts';
import type { InboundParam } from '../src/portals/preset-request.ts';
import { algorithmFamily, allClaims, type ClaimRule, type KeyRule } from '../src/portals/preset-token.ts';

export type Fact = readonly [what: string, text: string];

/** What one portal asks, wants and does, a line each. */
export function facts(preset: PortalPreset): Fact[] {
  const { token, authn_response: response, error, guest } = preset;
  const inbound = asks(preset);
  return [
    ...(inbound ? [['Asks with', inbound] as const] : []),
    ['Algorithms', token.algs.join(', ')],
    ...keyFacts(preset),
    ...said(preset),
    ['Claims', `${claims(preset)} (\`*\`: always${byGrant(preset)})`],
    ...instead(preset),
    ['Lifetime', `${token.lifetime.default} s, at most ${token.lifetime.max} s`],
    ...onceOnly(preset),
    ['Delivery', delivery(preset)],
    [
      'From a link in the app',
      preset.unsolicited ? 'yes, `/enter/<environment>/<portal>`' : 'no: a login begins at the portal',
    ],
    ...traded(preset),
    ...(guest ? [['Guests', 'a visitor who is not signed in may be sent as an empty user'] as const] : []),
    ...(error ? [['Errors', `the portal sends people whose token it refuses to \`${error.param}\``] as const] : []),
    ...(response.target.append_path
      ? [['Page', `\`${response.target.append_path}\` is put behind the URL`] as const]
      : []),
    ...logout(preset),
  ];
}

function asks({ authn_request: request }: PortalPreset): string {
  const params = Object.entries(request.params).map(
    ([name, param]) => `\`${name}\`${param.required ? '*' : ''}${judged(param)}`,
  );
  const list = params.join(', ');
  if (request.encoding === 'query') return list;
  const held = request.encoding === 'signed_jwt' ? `a signed \`${request.jwt_param}\`` : 'signed `sso` and `sig`';
  return `${held}, in which: ${list}`;
}

/** How an address that comes in is judged; the rest is compared or handed back as it is. */
function judged({ url, equals }: InboundParam): string {
  if (equals !== undefined) return ` (must be \`${inSettings(equals)}\`)`;
  if (!url) return '';
  if (url.kind !== 'absolute') return ' (a path of the portal)';
  const listed = [...(url.allow ?? []), ...(url.allow_prefix ?? []).map((prefix) => `${prefix}…`)];
  return ` (${listed.map((text) => `\`${inSettings(text)}\``).join(', ')})`;
}

/** A template in the words of routes.yaml. */
const inSettings = (template: string): string => template.replaceAll('{config.', '{settings.');

function keyFacts({ token }: PortalPreset): Fact[] {
  const families = [...new Set(token.algs.map(algorithmFamily))];
  const hows = families.flatMap((family) => {
    const rule = token.keys[family];
    return rule ? [`${family}: ${keyOf(rule)}`] : [];
  });
  return [['Keys', hows.join('. ')]];
}

function keyOf({ publish, encoding, min_bytes: bytes, generated_by: by }: KeyRule): string {
  const issued = by === 'portal' ? ', which the portal hands out' : '';
  if (publish === 'shared') {
    const length = bytes === undefined ? '' : ` of at least ${bytes} bytes`;
    return `a shared secret${length}${encoding === 'base64' ? ', written in base64' : ''}${issued}`;
  }
  if (issued) return `a private key${issued}`;
  const how = publish === 'pem' ? 'pasted as PEM' : 'read from the JWKS';
  return `a key pair; the public key is ${how} ([how](#a-portal-that-takes-a-public-key))`;
}

/** What environments are asked to say about a person beside the email, under the names that they say it by. */
function said({ token }: PortalPreset): Fact[] {
  const needed = neededClaims(token);
  const privileged = privilegedClaims(token);
  const others = [...carriedClaims(token)].filter((claim) => !needed.some(({ name }) => name === claim));
  const groups: readonly (readonly [what: string, names: readonly string[]])[] = [
    [
      'Environments have to say',
      needed.map(({ name, needsGrant }) => `\`${name}\`${needsGrant ? ', with a grant' : ''}`),
    ],
    ['They may say', others.filter((name) => !privileged.has(name)).map((name) => `\`${name}\``)],
    ['With a grant also', others.filter((name) => privileged.has(name)).map((name) => `\`${name}\``)],
  ];
  return groups.flatMap(([what, names]) => (names.length === 0 ? [] : [[what, names.join(', ')] as const]));
}

function claims({ token }: PortalPreset): string {
  const mark = ({ required, privileged }: ClaimRule) => `${required ? '*' : ''}${privileged ? '!' : ''}`;
  return allClaims(token)
    .map(({ name, rule }) => `\`${name}\`${mark(rule)}${otherName(name, rule)}`)
    .join(', ');
}

/** Where a claim is called otherwise than what environments say. */
function otherName(name: string, { from }: ClaimRule): string {
  const said = from?.startsWith('user.') ? from.slice('user.'.length) : undefined;
  return said === undefined || said === name.split('.').at(-1) ? '' : ` (from \`${said}\`)`;
}

/** Identifiers that fall back on the email. */
function instead({ token }: PortalPreset): Fact[] {
  const names = allClaims(token).flatMap(({ name, rule }) => (rule.otherwise ? [`\`${name}\``] : []));
  return names.length === 0 ? [] : [['Without a grant', `${names.join(', ')}: the email`]];
}

function onceOnly({ token }: PortalPreset): Fact[] {
  const what = { jti: 'its `jti`', request_key: 'the key of its request', nonce: 'the nonce of its request' };
  return token.replay === 'none' ? [] : [['Accepted once', `by ${what[token.replay]}`]];
}

/** Whether, and with what difference, a token of an environment can be traded for one of this portal. */
function traded({ token, traded: rule }: PortalPreset): Fact[] {
  const names = Object.keys(rule?.claims ?? {}).map((name) => `\`${name}\``);
  const tied = Object.values(token.claims).some(({ required, from }) => required && from?.startsWith('request.'));
  const text = rule ? `yes, with ${names.join(', ')} of its own` : tied ? 'no: it answers a request' : 'yes';
  return [['Traded at `/api/auth/jwt`', text]];
}

const byGrant = ({ token }: PortalPreset): string =>
  allClaims(token).some(({ rule }) => rule.privileged) ? '; `!`: only where an environment was granted it' : '';

function delivery({
  authn_response: { mode, token_param: param, signature_param: signature, form_post_param: field },
}: PortalPreset): string {
  const names = [param, signature].flatMap((name) => (name == null ? [] : [`\`${name}\``])).join(' and ');
  const how =
    mode === 'path' ? 'at the end of the path' : `${mode}, ${names === '' ? 'without a name' : `as ${names}`}`;
  return field === undefined || mode === 'form_post' ? how : `${how}; or form_post, field \`${field}\``;
}

function logout({ logout: rule }: PortalPreset): Fact[] {
  if (!rule) return [];
  const list = (names: readonly string[] = []) => names.map((name) => `\`${name}\``).join(', ');
  const parts = [
    ...(rule.request_params ? [`the portal sends ${list(rule.request_params)}, none of which is believed`] : []),
    ...(rule.error_params ? [`says what went wrong in ${list(rule.error_params)}`] : []),
    ...(rule.end_session_endpoint ? [`ends its session at \`${inSettings(rule.end_session_endpoint)}\``] : []),
  ];
  return parts.length === 0 ? [] : [['Sign-out', parts.join('; ')]];
}
