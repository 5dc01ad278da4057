import type { PortalSettings } from './portal.ts';
import type { PortalProblem } from './portal-problem.ts';
import {
  besideToken,
  LOGIN_ORIGIN,
  type PortalPreset,
  type ResponseRule,
  type SettingRule,
  unsolicitedResponse,
} from './preset.ts';
import { algorithmFamily } from './preset-token.ts';
import { prepareAllow, prepareAllowBelow } from './redirect-uri.ts';
import { constantUrl, fillText, fillUrl } from './template.ts';

/** What routes.yaml says about a portal, as far as its preset has a say in it. */
export type CheckedSettings = Pick<PortalSettings, 'settings' | 'allowRedirects' | 'tokenLifetime' | 'delivery'> & {
  readonly algorithm?: string;
  /** Whether a private key is named; left out where nobody asks. */
  readonly hasPrivateKey?: boolean;
};

/** Faults of one portal's settings against its preset; `path` starts at the portal, in the words of routes.yaml. */
export function checkSettings(preset: PortalPreset, given: CheckedSettings): PortalProblem[] {
  return [
    ...checkValues(preset, given.settings),
    ...checkAllowRedirects(preset, given.allowRedirects),
    ...checkSigning(preset, given),
    ...checkDelivery(preset, given.delivery),
  ];
}

/** The settings with the preset's defaults and the router's own origin. */
export function fillSettings(
  preset: PortalPreset,
  settings: Readonly<Record<string, string>>,
  publicOrigin: string,
): Readonly<Record<string, string>> {
  const filled: Record<string, string> = { [LOGIN_ORIGIN]: publicOrigin };
  for (const [name, rule] of Object.entries(preset.config)) {
    const value = Object.hasOwn(settings, name) ? settings[name] : defaultOf(rule, settings);
    if (value !== undefined) filled[name] = value;
  }
  return filled;
}

const defaultOf = ({ default: text, kind }: SettingRule, settings: Readonly<Record<string, string>>) =>
  text === undefined ? undefined : (kind === 'url' ? fillUrl : fillText)(text, settings)({});

function checkValues(preset: PortalPreset, settings: CheckedSettings['settings']): PortalProblem[] {
  const problems: PortalProblem[] = [];
  for (const name of Object.keys(settings)) {
    if (Object.hasOwn(preset.config, name)) continue;
    const known = Object.keys(preset.config).join(', ');
    problems.push({
      path: ['settings', name],
      message: `${preset.title} has no setting ${name}; it has ${known || 'none'}`,
    });
  }
  for (const [name, rule] of Object.entries(preset.config)) {
    // A default that is made of other settings is as good as they are.
    if (!Object.hasOwn(settings, name) && rule.default?.includes('{')) continue;
    const value = Object.hasOwn(settings, name) ? settings[name] : rule.default;
    const message = value === undefined ? missing(rule) : wrong(rule, value);
    if (message) problems.push({ path: ['settings', name], message });
  }
  return problems.length > 0 ? problems : checkTargets(preset, settings);
}

const missing = (rule: SettingRule): string | undefined =>
  rule.required ? `is required: ${rule.label} (for example ${rule.example})` : undefined;

function wrong(rule: SettingRule, value: string): string | undefined {
  if (rule.kind === 'url' && !prepareAllow(value)) {
    return 'must be an https URL (or http on loopback) of origin and path only';
  }
  if (rule.pattern !== undefined && !new RegExp(`^(?:${rule.pattern})$`, 'u').test(value)) {
    return `must match ${rule.pattern} (for example ${rule.example})`;
  }
  return undefined;
}

/** A setting that stands in a host name can still spoil the URL. */
function checkTargets(preset: PortalPreset, settings: CheckedSettings['settings']): PortalProblem[] {
  const config = fillSettings(preset, settings, '');
  const rules = Object.values(preset.authn_request.params).flatMap(({ url }) =>
    url?.kind === 'absolute' ? [url] : [],
  );
  const allows = rules.flatMap(({ allow = [] }) => allow);
  const prefixes = rules.flatMap(({ allow_prefix: below = [] }) => below).map((url) => constantUrl(url, config));
  const targets = [preset.authn_response, unsolicitedResponse(preset)].flatMap((rule) =>
    rule ? [rule.target.url] : [],
  );
  const end = preset.logout?.end_session_endpoint;
  const urls = [
    ...allows.map((allow) => constantUrl(allow, config)),
    ...[...targets, ...(end === undefined ? [] : [end])].map((url) => constantUrl(url, config).replace(/\?.*$/, '')),
  ];
  const broken = urls.find((url) => !prepareAllow(url)) ?? prefixes.find((url) => !prepareAllowBelow(url));
  return broken === undefined ? [] : [{ path: ['settings'], message: `do not make a usable address: ${broken}` }];
}

function checkAllowRedirects(preset: PortalPreset, allowRedirects: readonly string[]): PortalProblem[] {
  return allowRedirects.flatMap((url, index) => {
    const path = ['allow_redirects', index];
    if (!takesAddresses(preset)) return [{ path, message: `${preset.title} sends no return address` }];
    if (prepareAllow(url)) return [];
    return [{ path, message: 'must be an https URL (or http on loopback) of origin and path only, compared exactly' }];
  });
}

/** Of the kinds that the operator may add to: those that the token is sent to, and those that are handed back. */
const takesAddresses = ({ authn_request: { params } }: PortalPreset): boolean =>
  Object.values(params).some(({ role, url }) => url?.kind === 'absolute' && role !== 'error_uri');

function checkSigning(
  { title, token, authn_request: request }: PortalPreset,
  { tokenLifetime, algorithm, hasPrivateKey }: CheckedSettings,
): PortalProblem[] {
  const problems: PortalProblem[] = [];
  if (!Number.isInteger(tokenLifetime) || tokenLifetime < 1 || tokenLifetime > token.lifetime.max) {
    problems.push({ path: ['token_lifetime'], message: `must be between 1s and ${token.lifetime.max}s for ${title}` });
  }
  if (algorithm !== undefined && !(token.algs as readonly string[]).includes(algorithm)) {
    problems.push({ path: ['signing', 'algorithm'], message: `${title} takes ${token.algs.join(', ')}` });
  }
  if (algorithm !== undefined && request.encoding !== 'query' && !algorithm.startsWith('HS')) {
    const message = `${title} signs its requests with the shared secret, so HS256 has to be chosen`;
    problems.push({ path: ['signing', 'algorithm'], message });
  }
  const issued = algorithm !== undefined && token.keys[algorithmFamily(algorithm)]?.generated_by === 'portal';
  if (issued && hasPrivateKey === false && !algorithm.startsWith('HS'))
    problems.push({ path: ['signing', 'private_key'], message: `is required: ${title} hands this key out itself` });
  return problems;
}

function checkDelivery(preset: PortalPreset, delivery: CheckedSettings['delivery']): PortalProblem[] {
  const { title, authn_response: rule } = preset;
  const problems: PortalProblem[] = [];
  const { mode, param, unsolicitedParam } = delivery ?? {};
  const takesForm = rule.mode === 'form_post' || rule.form_post_param !== undefined;
  if (mode === 'form_post' && !takesForm)
    problems.push({ path: ['delivery', 'mode'], message: `${title} takes no posted token` });
  if (mode === 'query' && rule.token_param === null)
    problems.push({ path: ['delivery', 'mode'], message: `${title} takes no token in a query` });
  const unsolicited = unsolicitedResponse(preset);
  if (unsolicitedParam !== undefined && !unsolicited)
    problems.push({
      path: ['delivery', 'unsolicited_param'],
      message: `${title} takes no login from a link in an app`,
    });
  return [
    ...problems,
    ...checkParam(preset, rule, 'param', param),
    ...(unsolicited ? checkParam(preset, unsolicited, 'unsolicited_param', unsolicitedParam) : []),
  ];
}

function checkParam(preset: PortalPreset, rule: ResponseRule, word: string, param: string | undefined) {
  const path = ['delivery', word];
  const problems: PortalProblem[] = [];
  if (param !== undefined && !/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(param))
    problems.push({ path, message: 'must be a letter, then letters, digits or _' });
  if (param !== undefined && besideToken(preset, rule).includes(param))
    problems.push({ path, message: `${preset.title} gets something else as ${param}` });
  return problems;
}
