import { checkSource, checkUrlTemplate } from './check-template.ts';
import type { Path, Report } from './portal-problem.ts';
import { besideToken, type PortalPreset, type ResponseRule, unsolicitedResponse } from './preset.ts';
import { allClaims } from './preset-token.ts';
import { parseTemplate } from './template.ts';

/** What holds between the parts of `authn_response`, `unsolicited` and `error`, and what they need. */
export function checkResponses(preset: PortalPreset, report: Report): void {
  checkResponse(preset, preset.authn_response, ['authn_response'], report);
  const unsolicited = unsolicitedResponse(preset);
  if (unsolicited) {
    checkResponse(preset, unsolicited, ['unsolicited'], report);
    checkUnsolicited(preset, unsolicited, report);
  }
  if (preset.error) checkError(preset, preset.error.value, report);
}

function checkResponse(preset: PortalPreset, rule: ResponseRule, path: Path, report: Report): void {
  const { target, mode, token_param: param } = rule;
  checkUrlTemplate(preset, target.url, [...path, 'target', 'url'], report);
  if (target.from_param !== undefined) {
    if (paramOf(preset, target.from_param)?.role !== 'redirect_uri') {
      report([...path, 'target', 'from_param'], `${target.from_param} is not a parameter with role: redirect_uri`);
    }
    if (mode === 'path') report([...path, 'target', 'from_param'], 'mode: path needs a fixed target');
  }
  if (target.append_path !== undefined) checkAppended(preset, rule, target.append_path, path, report);
  if (param === null && (mode === 'query' || mode === 'form_post'))
    report([...path, 'token_param'], `mode: ${mode} needs a name`);
  if (mode === 'path' && param !== null) report([...path, 'token_param'], 'mode: path has no name; write null');
  if (mode === 'path' && !/^[^?#]*\/$/.test(target.url))
    report([...path, 'target', 'url'], 'mode: path needs a URL that ends in /');
  const beside = besideToken(preset, rule);
  if (mode === 'path' && beside.length > 0) report([...path, 'mode'], 'nothing travels beside a token in a path');
  const twice = [param, rule.form_post_param].find((own) => own != null && beside.includes(own));
  if (twice != null) report([...path, 'token_param'], `something else travels as ${twice}`);
  if (rule.signature_param !== undefined && preset.token.format !== 'discourse_connect')
    report([...path, 'signature_param'], 'a JWT carries its signature itself');
  for (const [name, source] of Object.entries(rule.params ?? {})) {
    if (!/^(?:config|request)\./.test(source))
      report([...path, 'params', name], 'only config.* and request.* travel beside the token');
    else checkSource(preset, source, [...path, 'params', name], report);
  }
}

function checkAppended(preset: PortalPreset, rule: ResponseRule, name: string, path: Path, report: Report): void {
  const at = [...path, 'target', 'append_path'];
  if (paramOf(preset, name)?.url?.kind !== 'path') report(at, `${name} is not a parameter with url: { kind: path }`);
  if (rule.target.from_param !== undefined) report(at, 'only a fixed URL can be appended to');
  if (rule.mode === 'path') report(at, 'mode: path has the token there');
  if (rule.target.url.includes('?')) report(at, 'nothing can be put behind the path of a URL with a query');
}

/** A link in an app brings no parameters, so nothing that is needed may come from them. */
function checkUnsolicited(preset: PortalPreset, rule: ResponseRule, report: Report): void {
  if (parseTemplate(rule.target.url)?.some((part) => typeof part !== 'string' && part.from === 'request')) {
    report(['unsolicited', 'target', 'url'], 'a platform-initiated login has no request parameters');
  }
  if (preset.token.replay === 'request_key' || preset.token.replay === 'nonce')
    report(['unsolicited'], `token.replay: ${preset.token.replay} needs a request; write unsolicited: false`);
  for (const { at, rule: claim } of allClaims(preset.token)) {
    if (claim.required && (claim.from?.startsWith('request.') || claim.template?.includes('{request.'))) {
      report(at, 'required from the request, which a platform-initiated login has not; write unsolicited: false');
    }
  }
}

/** A person is only ever offered an address that was judged, or that the operator wrote. */
function checkError(preset: PortalPreset, source: string, report: Report): void {
  const path = ['error', 'value'];
  const [from, name = ''] = source.split('.');
  if (from === 'config' && preset.config[name]?.kind === 'url') return;
  if (from === 'request' && paramOf(preset, name)?.role === 'error_uri') return;
  report(path, 'must be a setting of kind url, or a parameter with role: error_uri');
}

const paramOf = ({ authn_request: { params } }: PortalPreset, name: string) =>
  Object.hasOwn(params, name) ? params[name] : undefined;
