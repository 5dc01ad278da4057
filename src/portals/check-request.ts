import { checkTemplate, checkUrlTemplate } from './check-template.ts';
import type { Path, Report } from './portal-problem.ts';
import type { PortalPreset } from './preset.ts';
import { type InboundParam, outerNames } from './preset-request.ts';
import { ROUTER_PARAMS } from './router-params.ts';

/** What holds between the parts of `authn_request`. */
export function checkRequest(preset: PortalPreset, report: Report): void {
  const { authn_request: request } = preset;
  const params = Object.entries(request.params);
  const returns = params.filter(([, param]) => param.role === 'redirect_uri');
  const unencoded = params.filter(([, { url }]) => url?.kind === 'relative' && url.unencoded);
  for (const [name, param] of params) {
    const path = ['authn_request', 'params', name];
    if (ROUTER_PARAMS.has(name.toLowerCase())) report(path, `${name} is a parameter of the router’s own pages`);
    if (outerNames(request).includes(name)) report(path, `${name} is what holds the other parameters`);
    if (param.role === 'redirect_uri' && returns.length > 1) report([...path, 'role'], 'more than one return address');
    if (param.role === 'tenant' && param.equals === undefined) report(path, 'role: tenant needs equals');
    if (param.equals !== undefined) checkTemplate(preset, param.equals, [...path, 'equals'], report, 'config only');
    if (param.json && request.encoding !== 'signed_jwt')
      report([...path, 'json'], 'only claims of a signed_jwt have types');
    if (param.json && (param.url || param.equals !== undefined || (param.role && param.role !== 'state')))
      report([...path, 'json'], 'only handed back, so it has no role but state, no url and no equals');
    checkAddress(preset, param, path, report);
  }
  if (unencoded.length > 0 && request.encoding !== 'query') {
    for (const [name] of unencoded)
      report(['authn_request', 'params', name, 'url', 'unencoded'], 'only a plain query can hold it');
  }
  for (const [name] of unencoded.slice(1))
    report(['authn_request', 'params', name, 'url', 'unencoded'], 'only one parameter can be the rest of the query');
  if (request.encoding === 'query') return;
  if (!preset.token.algs.some((algorithm) => algorithm.startsWith('HS')))
    report(['authn_request', 'encoding'], 'a signed request needs a secret, and so token.algs with HS256');
  if (request.encoding !== 'signed_jwt') return;
  if (ROUTER_PARAMS.has(request.jwt_param.toLowerCase()))
    report(['authn_request', 'jwt_param'], `${request.jwt_param} is a parameter of the router’s own pages`);
  if (request.kid !== undefined) checkTemplate(preset, request.kid, ['authn_request', 'kid'], report, 'config only');
}

function checkAddress(preset: PortalPreset, { role, url }: InboundParam, path: Path, report: Report): void {
  const isAddress = role === 'redirect_uri' || role === 'return_to' || role === 'error_uri';
  if (url === undefined) {
    if (isAddress) report(path, `role: ${role} needs url, so that it is judged`);
    return;
  }
  if (!isAddress) report(path, 'url needs role: redirect_uri, return_to or error_uri');
  if (url.kind !== 'absolute') {
    if (role === 'redirect_uri') report([...path, 'url', 'kind'], 'the token is sent there, so it has to be absolute');
    return;
  }
  if (role === 'return_to' && (url.reserved || url.pins))
    report([...path, 'url'], 'only an address that the token is sent to has reserved names and pins');
  if (!url.allow && !url.allow_prefix) report([...path, 'url'], 'needs allow or allow_prefix');
  for (const [index, allow] of (url.allow ?? []).entries()) {
    checkUrlTemplate(preset, allow, [...path, 'url', 'allow', index], report, 'config only');
  }
  for (const [index, prefix] of (url.allow_prefix ?? []).entries()) {
    const at = [...path, 'url', 'allow_prefix', index];
    checkUrlTemplate(preset, prefix, at, report, 'config only');
    if (!prefix.endsWith('/')) report(at, 'must end with /, so that it cannot end inside a name');
  }
  for (const [pin, value] of Object.entries(url.pins ?? {})) {
    checkTemplate(preset, value, [...path, 'url', 'pins', pin], report, 'config only');
  }
}
