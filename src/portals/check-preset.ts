import {
  algorithmFamily,
  type ClaimRule,
  LOGIN_ORIGIN,
  type PortalPreset,
  type ResponseRule,
  unsolicitedResponse,
} from './preset.ts';
import { parseTemplate } from './template.ts';

/** One fault; `path` leads from the root of the file (or of the portal's settings) to the value. */
export type PortalProblem = { readonly path: readonly (string | number)[]; readonly message: string };

/** Parameters of the router's own pages; a portal's parameter of the same name could not be told apart. */
const ROUTER_PARAMS: ReadonlySet<string> = new Set(['choose', 'ask', 'email']);

type Path = readonly (string | number)[];
type Report = (path: Path, message: string) => void;

/** What the schema cannot say: that the parts of a preset fit together. Every fault at once. */
export function checkPreset(preset: PortalPreset): PortalProblem[] {
  const problems: PortalProblem[] = [];
  const report: Report = (path, message) => problems.push({ path, message });
  checkConfig(preset, report);
  checkRequest(preset, report);
  checkToken(preset, report);
  checkResponse(preset, preset.authn_response, ['authn_response'], report);
  const unsolicited = unsolicitedResponse(preset);
  if (unsolicited) {
    checkResponse(preset, unsolicited, ['unsolicited'], report);
    checkUnsolicited(preset, unsolicited, report);
  }
  for (const [index, pointer] of (preset.unverified ?? []).entries()) {
    if (!pointsAtSomething(preset, pointer))
      report(['unverified', index], `${pointer} points at nothing in this preset`);
  }
  return problems;
}

function checkConfig(preset: PortalPreset, report: Report): void {
  for (const [name, rule] of Object.entries(preset.config)) {
    const path = ['config', name];
    if (name === LOGIN_ORIGIN) report(path, `${LOGIN_ORIGIN} is filled in by the router`);
    if (rule.pattern === undefined && rule.kind !== 'url') report(path, 'needs a pattern, or kind: url');
    if (rule.required && rule.default !== undefined) report([...path, 'default'], 'a required setting has no default');
  }
}

function checkRequest(preset: PortalPreset, report: Report): void {
  const params = Object.entries(preset.authn_request.params);
  const returns = params.filter(([, param]) => param.role === 'redirect_uri');
  for (const [name, param] of params) {
    const path = ['authn_request', 'params', name];
    if (ROUTER_PARAMS.has(name.toLowerCase())) report(path, `${name} is a parameter of the router’s own pages`);
    if ((param.role === 'redirect_uri') !== (param.url !== undefined)) {
      report(path, 'role: redirect_uri and url belong together');
    }
    if (param.role === 'redirect_uri' && returns.length > 1) report([...path, 'role'], 'more than one return address');
    if (param.role === 'tenant' && param.equals === undefined) report(path, 'role: tenant needs equals');
    if (param.equals !== undefined) checkTemplate(preset, param.equals, [...path, 'equals'], report, 'config only');
    for (const [index, allow] of (param.url?.allow ?? []).entries()) {
      checkUrlTemplate(preset, allow, [...path, 'url', 'allow', index], report, 'config only');
    }
    for (const [pin, value] of Object.entries(param.url?.pins ?? {})) {
      checkTemplate(preset, value, [...path, 'url', 'pins', pin], report, 'config only');
    }
  }
}

function checkToken(preset: PortalPreset, report: Report): void {
  const { token } = preset;
  for (const [index, algorithm] of token.algs.entries()) {
    if (!token.keys[algorithmFamily(algorithm)])
      report(['token', 'algs', index], `token.keys says nothing about ${algorithm}`);
  }
  for (const [name, rule] of Object.entries(token.claims)) checkClaim(preset, name, rule, report);
  for (const [index, group] of (token.at_most_one ?? []).entries()) {
    for (const [place, name] of group.entries()) {
      const rule = Object.hasOwn(token.claims, name) ? token.claims[name] : undefined;
      const path = ['token', 'at_most_one', index, place];
      if (!rule) report(path, `${name} is not one of token.claims`);
      if (rule?.required) report(path, `${name} is required, so it cannot give way to another`);
    }
  }
  const { lifetime, max_age: maxAge } = token;
  if (lifetime.default > lifetime.max) report(['token', 'lifetime', 'default'], 'longer than lifetime.max');
  if (maxAge !== undefined && lifetime.default > maxAge) {
    report(['token', 'lifetime', 'default'], 'longer than the portal takes a token (max_age)');
  }
  checkReplay(preset, report);
}

function checkReplay(preset: PortalPreset, report: Report): void {
  const path = ['token', 'replay'];
  const { replay, claims } = preset.token;
  const jti = Object.hasOwn(claims, 'jti') ? claims.jti : undefined;
  if (replay === 'jti' && jti?.from !== 'random.uuid') report(path, 'replay: jti needs a claim jti from random.uuid');
  const role = replay === 'request_key' ? 'replay_key' : replay === 'nonce' ? 'nonce' : undefined;
  if (!role) return;
  const [key] =
    Object.entries(preset.authn_request.params).find(([, param]) => param.role === role && param.required) ?? [];
  if (!key) report(path, `replay: ${replay} needs a required parameter with role: ${role}`);
  else if (!Object.values(claims).some((rule) => rule.from === `request.${key}`)) {
    report(path, `replay: ${replay} needs a claim from request.${key}`);
  }
}

function checkClaim(preset: PortalPreset, name: string, rule: ClaimRule, report: Report): void {
  const path = ['token', 'claims', name];
  const kinds = [rule.from, rule.const, rule.template].filter((kind) => kind !== undefined);
  if (kinds.length !== 1) report(path, 'needs exactly one of from, const, template');
  if (rule.from !== undefined) checkSource(preset, rule.from, [...path, 'from'], report);
  if (rule.template !== undefined) checkTemplate(preset, rule.template, [...path, 'template'], report);
  if (rule.unit && !rule.from?.startsWith('time.')) report([...path, 'unit'], 'only a time has a unit');
  if (rule.join !== undefined && rule.type !== 'array') report([...path, 'join'], 'only type: array can be joined');
  if (name === 'email' && rule.from !== 'user.email')
    report(path, 'email is always from user.email, the one address that was checked');
}

function checkResponse(preset: PortalPreset, rule: ResponseRule, path: Path, report: Report): void {
  const { target, mode, token_param: param } = rule;
  checkUrlTemplate(preset, target.url, [...path, 'target', 'url'], report);
  if (target.from_param !== undefined) {
    const from = Object.hasOwn(preset.authn_request.params, target.from_param)
      ? preset.authn_request.params[target.from_param]
      : undefined;
    if (from?.role !== 'redirect_uri') {
      report([...path, 'target', 'from_param'], `${target.from_param} is not a parameter with role: redirect_uri`);
    }
    if (mode === 'path') report([...path, 'target', 'from_param'], 'mode: path needs a fixed target');
  }
  if (param === null && (mode === 'query' || mode === 'form_post'))
    report([...path, 'token_param'], `mode: ${mode} needs a name`);
  if (mode === 'path' && param !== null) report([...path, 'token_param'], 'mode: path has no name; write null');
  if (mode === 'path' && !/^[^?#]*\/$/.test(target.url))
    report([...path, 'target', 'url'], 'mode: path needs a URL that ends in /');
  for (const [name, source] of Object.entries(rule.params ?? {})) {
    if (!/^(?:config|request)\./.test(source))
      report([...path, 'params', name], 'only config.* and request.* travel beside the token');
    else checkSource(preset, source, [...path, 'params', name], report);
  }
}

/** A link in an app brings no parameters, so nothing that is needed may come from them. */
function checkUnsolicited(preset: PortalPreset, rule: ResponseRule, report: Report): void {
  if (parseTemplate(rule.target.url)?.some((part) => typeof part !== 'string' && part.from === 'request')) {
    report(['unsolicited', 'target', 'url'], 'a platform-initiated login has no request parameters');
  }
  for (const [name, claim] of Object.entries(preset.token.claims)) {
    if (claim.required && (claim.from?.startsWith('request.') || claim.template?.includes('{request.'))) {
      report(
        ['token', 'claims', name],
        'required from the request, which a platform-initiated login has not; write unsolicited: false',
      );
    }
  }
}

function checkSource(preset: PortalPreset, source: string, path: Path, report: Report): void {
  const [from, name = ''] = source.split('.');
  if (from === 'config' && !knowsConfig(preset, name)) report(path, `there is no config.${name}`);
  if (from === 'request' && !Object.hasOwn(preset.authn_request.params, name))
    report(path, `there is no request.${name}`);
}

function checkTemplate(preset: PortalPreset, template: string, path: Path, report: Report, only?: 'config only'): void {
  const parts = parseTemplate(template);
  if (!parts) report(path, 'a brace that is not part of {config.name} or {request.name}');
  for (const part of parts ?? []) {
    if (typeof part === 'string') continue;
    if (part.from === 'request' && only) report(path, 'only {config.…} may stand here');
    else checkSource(preset, `${part.from}.${part.name}`, path, report);
  }
}

function checkUrlTemplate(
  preset: PortalPreset,
  template: string,
  path: Path,
  report: Report,
  only?: 'config only',
): void {
  checkTemplate(preset, template, path, report, only);
  if (template.includes('#')) report(path, 'no fragment may stand here');
  const parts = parseTemplate(template) ?? [];
  for (const [index, part] of parts.entries()) {
    if (typeof part === 'string') {
      if (index === 0 && !part.startsWith('https://'))
        report(path, 'must start with https:// or with a setting of kind url');
      continue;
    }
    const isUrl = part.from === 'config' && preset.config[part.name]?.kind === 'url';
    if (isUrl !== (index === 0))
      report(path, 'a setting of kind url stands at the start of a URL, and nothing else does');
    const before = parts.slice(0, index).filter((earlier) => typeof earlier === 'string');
    if (part.from === 'request' && !before.join('').includes('?')) {
      report(path, 'the request may only fill in the query of a URL');
    }
  }
}

const knowsConfig = (preset: PortalPreset, name: string): boolean =>
  name === LOGIN_ORIGIN || Object.hasOwn(preset.config, name);

/** RFC 6901 §4; a name that a key of `unsolicited` inherits still has to be written there. */
function pointsAtSomething(preset: PortalPreset, pointer: string): boolean {
  let value: unknown = preset;
  for (const step of pointer.slice(1).split('/')) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
    value = (value as Record<string, unknown>)[key];
  }
  return true;
}
