import { checkSource, checkTemplate } from './check-template.ts';
import type { Path, Report } from './portal-problem.ts';
import type { PortalPreset } from './preset.ts';
import { algorithmFamily, allClaims, type ClaimRule } from './preset-token.ts';

/** What holds between the parts of `token`. */
export function checkToken(preset: PortalPreset, report: Report): void {
  const { token } = preset;
  for (const [index, algorithm] of token.algs.entries()) {
    const family = algorithmFamily(algorithm);
    if (!token.keys[family]) report(['token', 'algs', index], `token.keys says nothing about ${algorithm}`);
    if (token.header && family !== 'HS')
      report(
        ['token', 'header'],
        `the header of ${algorithm} names its key already; only HS* algorithms have one here`,
      );
  }
  checkKeys(preset, report);
  for (const [name, value] of Object.entries(token.header ?? {})) {
    if (name !== 'kid') report(['token', 'header', name], 'only kid may be added to the header');
    checkTemplate(preset, value, ['token', 'header', name], report, 'config only');
  }
  for (const { at, rule } of allClaims(token)) checkClaim(preset, at, rule, report);
  checkPrivileged(preset, report);
  checkGroups(preset, report);
  const { lifetime, max_age: maxAge } = token;
  if (lifetime.default > lifetime.max) report(['token', 'lifetime', 'default'], 'longer than lifetime.max');
  if (maxAge !== undefined && lifetime.default > maxAge) {
    report(['token', 'lifetime', 'default'], 'longer than the portal takes a token (max_age)');
  }
  for (const name of ['iss', 'aud'] as const) {
    const expected = token.expects?.[name];
    if (expected === undefined) continue;
    checkTemplate(preset, expected, ['token', 'expects', name], report, 'config only');
    if (!Object.hasOwn(token.claims, name)) report(['token', 'expects', name], `there is no claim ${name}`);
  }
  checkReplay(preset, report);
  if (token.format === 'discourse_connect') checkDiscourse(preset, report);
}

function checkKeys({ token }: PortalPreset, report: Report): void {
  for (const [family, rule] of Object.entries(token.keys)) {
    const path = ['token', 'keys', family];
    const secret = rule.encoding === 'utf8' || rule.encoding === 'base64';
    if (secret !== (family === 'HS'))
      report([...path, 'encoding'], family === 'HS' ? 'a secret is utf8 or base64' : 'a key pair is pem or jwk');
    if ((rule.publish === 'shared') !== (family === 'HS'))
      report([...path, 'publish'], family === 'HS' ? 'a secret is shared' : 'a public key is published as pem or jwks');
    if (rule.min_bytes !== undefined && family !== 'HS') report([...path, 'min_bytes'], 'only a secret has a length');
  }
}

function checkClaim(preset: PortalPreset, path: Path, rule: ClaimRule, report: Report): void {
  const kinds = [rule.from, rule.const, rule.template, rule.claims].filter((kind) => kind !== undefined);
  if (kinds.length !== 1) report(path, 'needs exactly one of from, const, template, claims');
  if (rule.from !== undefined) checkSource(preset, rule.from, [...path, 'from'], report);
  if (rule.template !== undefined) checkTemplate(preset, rule.template, [...path, 'template'], report);
  const isTime = rule.from !== undefined && /^(?:time|session)\./.test(rule.from);
  if (rule.unit && !isTime) report([...path, 'unit'], 'only a time has a unit');
  if (rule.join !== undefined && rule.type !== 'array') report([...path, 'join'], 'only type: array can be joined');
  if (rule.otherwise && (!rule.from?.startsWith('user.') || rule.default !== undefined))
    report([...path, 'otherwise'], 'stands beside a claim from user.*, and in place of a default');
  if (rule.privileged && !rule.from?.startsWith('user.'))
    report([...path, 'privileged'], 'only what an environment says can need a grant');
  if (Array.isArray(rule.privileged) && !rule.enum)
    report([...path, 'privileged'], 'a list needs an enum, or “Admin” would pass for what is not “admin”');
  if (path.at(-1) === 'email' && rule.from !== 'user.email')
    report(path, 'email is always from user.email, the one address that was checked');
}

/** What is privileged under one name cannot be had under another. */
function checkPrivileged({ token }: PortalPreset, report: Report): void {
  const claims = allClaims(token);
  for (const { at, rule } of claims) {
    const other = claims.find((one) => one.rule.from === rule.from && one.rule.privileged && !rule.privileged);
    if (rule.from === undefined || !other) continue;
    report(at, `${rule.from} is privileged in ${other.name}, so it has to be here`);
  }
}

function checkGroups({ token }: PortalPreset, report: Report): void {
  for (const [index, group] of (token.at_most_one ?? []).entries()) {
    for (const [place, name] of group.entries()) {
      const rule = Object.hasOwn(token.claims, name) ? token.claims[name] : undefined;
      const path = ['token', 'at_most_one', index, place];
      if (!rule) report(path, `${name} is not one of token.claims`);
      if (rule?.required) report(path, `${name} is required, so it cannot give way to another`);
    }
  }
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

/** A query string has no types, and its signature is always HMAC-SHA256. */
function checkDiscourse({ token, authn_response: response }: PortalPreset, report: Report): void {
  const path: Path = ['token', 'format'];
  if (token.algs.length !== 1 || token.algs[0] !== 'HS256')
    report(['token', 'algs'], 'format: discourse_connect is signed with HS256');
  if (token.header) report(['token', 'header'], 'format: discourse_connect has no header');
  if (response.signature_param === undefined)
    report(['authn_response', 'signature_param'], 'format: discourse_connect needs the name of its signature');
  for (const [name, rule] of Object.entries(token.claims)) {
    if (rule.claims || rule.type === 'object' || (rule.type === 'array' && rule.join === undefined))
      report(['token', 'claims', name], 'format: discourse_connect has no objects, and lists are joined');
  }
  if (response.mode === 'path' || response.mode === 'fragment')
    report(path, 'format: discourse_connect travels in a query or a form');
}
