import type { PortalRequest } from '../core/portal.ts';
import { Refusal } from '../core/reason.ts';
import { splitDiscourseToken } from './discourse-connect.ts';
import { foldName } from './parameter-name.ts';
import type { Delivery, OpenPortal, PortalSettings } from './portal.ts';
import { besideToken, type PortalPreset, type ResponseRule, returnParam, unsolicitedResponse } from './preset.ts';
import { appendPath } from './relative-url.ts';
import { type Filled, fillText, fillUrl } from './template.ts';

/** Longest URL that a token is sent in, in characters. Our choice: what browsers and proxies all take. */
export const LONGEST_DELIVERY_URL = 8_192;

type Config = Readonly<Record<string, string>>;
type Override = NonNullable<PortalSettings['delivery']>;

/** A response with the operator's `delivery` applied. `signature`: where the token is not one text but two. */
type Chosen = { readonly mode: ResponseRule['mode']; readonly param: string; readonly signature: string | undefined };

type Carrier = {
  readonly chosen: Chosen;
  readonly fixed: Filled;
  readonly fromParam: boolean;
  readonly echoes: readonly (readonly [name: string, source: Filled])[];
};

/** Compiles how the token travels; `returnUrl` answers with the judged return address of a request. */
export function planDelivery(
  preset: PortalPreset,
  config: Config,
  override: Override,
  returnUrl: OpenPortal['returnUrl'],
): OpenPortal['deliver'] {
  const { error } = preset;
  const errorEcho = error ? [[error.param, error.value] as const] : [];
  const answering = planCarrier(preset.authn_response, config, override, errorEcho);
  const rule = unsolicitedResponse(preset);
  const { unsolicitedParam: param = override.param, ...others } = override;
  const linked = { ...others, ...(param !== undefined && { param }) };
  const unsolicited = rule ? planCarrier(rule, config, linked, errorEcho) : answering;
  return (request, token) => {
    const wanted = returnUrl(request);
    const carrier = wanted === undefined && request.initiated === 'platform' ? unsolicited : answering;
    const target = carrier.fromParam && wanted !== undefined ? wanted : carrier.fixed(request.params);
    return send(carrier.chosen, withEchoes(target, carrier, request), token);
  };
}

/**
 * Names, folded, that a return address may not carry: those that the preset reserves, every name that a token
 * may travel under, and what we append beside it.
 */
export function reservedNames(preset: PortalPreset, override: Override): ReadonlySet<string> {
  const names: string[] = [];
  const param = returnParam(preset);
  const url = param === undefined ? undefined : preset.authn_request.params[param]?.url;
  if (url?.kind === 'absolute') names.push(...(url.reserved ?? []));
  for (const name of [override.param, override.unsolicitedParam]) if (name !== undefined) names.push(name);
  for (const rule of [preset.authn_response, unsolicitedResponse(preset)]) {
    if (!rule) continue;
    names.push(...besideToken(preset, rule));
    for (const name of [rule.token_param, rule.form_post_param]) if (name != null) names.push(name);
  }
  return new Set(names.map(foldName));
}

function planCarrier(
  rule: ResponseRule,
  config: Config,
  override: Override,
  more: readonly (readonly [name: string, source: string])[],
): Carrier {
  const mode = override.mode ?? rule.mode;
  const param = (mode === 'form_post' ? rule.form_post_param : undefined) ?? rule.token_param ?? '';
  return {
    chosen: { mode, param: override.param ?? param, signature: rule.signature_param },
    fixed: planFixed(rule.target, config),
    fromParam: rule.target.from_param !== undefined,
    echoes: [...Object.entries(rule.params ?? {}), ...more].map(
      ([name, source]) => [name, fillText(`{${source}}`, config)] as const,
    ),
  };
}

function planFixed({ url, append_path: append }: ResponseRule['target'], config: Config): Filled {
  const fixed = fillUrl(url, config);
  if (append === undefined) return fixed;
  return (params) => {
    const path = params[append] ?? '';
    return path === '' ? fixed(params) : appendPath(fixed(params), path);
  };
}

/** Parameters that the request did not bring are not echoed. */
function withEchoes(target: string, { echoes }: Carrier, { params }: PortalRequest): string {
  return echoes.reduce((url, [name, source]) => {
    const value = source(params);
    return value === '' ? url : appendToQuery(url, name, encodeURIComponent(value));
  }, target);
}

/** Appends to the text, so that the bytes before it stay as the portal wrote them. Encodes nothing. */
const appendToQuery = (url: string, name: string, value: string): string =>
  `${url}${url.includes('?') ? '&' : '?'}${name}=${value}`;

function send({ mode, param, signature }: Chosen, target: string, token: string): Delivery {
  if (signature !== undefined) return sendSigned({ mode, param, signature }, target, token);
  switch (mode) {
    case 'form_post':
      return { mode, action: target, fields: { [param]: token } };
    case 'query':
      return redirect(appendToQuery(target, param, token));
    case 'fragment':
      return redirect(`${target}#${param === '' ? '' : `${param}=`}${token}`);
    case 'path':
      return redirect(`${target}${token}`);
  }
}

/** A token that comes in two parameters; `checkPreset` lets it travel in a query or a form only. */
function sendSigned(
  { mode, param, signature }: Chosen & { signature: string },
  target: string,
  token: string,
): Delivery {
  const { sso, sig } = splitDiscourseToken(token);
  if (mode === 'form_post') return { mode, action: target, fields: { [param]: sso, [signature]: sig } };
  return redirect(appendToQuery(appendToQuery(target, param, encodeURIComponent(sso)), signature, sig));
}

function redirect(url: string): Delivery {
  if (url.length > LONGEST_DELIVERY_URL) throw new Refusal('token_too_large', `${url.length} characters`);
  return { mode: 'redirect', url };
}
