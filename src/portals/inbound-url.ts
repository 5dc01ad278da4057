import { Refusal } from '../core/reason.ts';
import { judgeEchoed } from './echoed-url.ts';
import type { InboundParam, InboundUrl } from './preset-request.ts';
import { judgeReturnUrl, type PreparedAllow, prepareAllow, prepareAllowBelow, preparePin } from './redirect-uri.ts';
import { relativeFault } from './relative-url.ts';
import { constantUrl, fillText } from './template.ts';

type Config = Readonly<Record<string, string>>;

/** Returns for an address that is allowed. Throws `Refusal` (`redirect_uri_…`, `request_malformed`) for every other. */
export type Judge = (url: string) => void;

/**
 * Compiles the judgement of one address parameter. `more` are addresses that the operator allows, `reserved` names
 * that it may not carry beside the preset's own; see `judgeReturnUrl`, and `judgeEchoed` for one that is only handed
 * back, where an address of the operator's that ends in `/` allows everything below it.
 */
export function planJudge(
  name: string,
  role: InboundParam['role'],
  rule: InboundUrl,
  config: Config,
  more: readonly string[],
  reserved: ReadonlySet<string>,
): Judge {
  if (rule.kind !== 'absolute') {
    return (url) => {
      const fault = relativeFault(url, rule.kind);
      if (fault !== undefined) throw new Refusal('request_malformed', `${name}: ${fault}`);
    };
  }
  const exact = [...(rule.allow ?? []).map((allow) => constantUrl(allow, config)), ...more];
  const below = (rule.allow_prefix ?? []).map((prefix) => constantUrl(prefix, config));
  const allowed = [
    ...exact.map((url) => prepared(url, prepareAllow(url))),
    ...below.map((url) => prepared(url, prepareAllowBelow(url))),
  ];
  if (role === 'return_to') {
    const sites = [...allowed, ...more.flatMap((url) => prepareAllowBelow(url) ?? [])];
    return (url) => judgeEchoed(name, url, sites);
  }
  const pins = Object.entries(rule.pins ?? {}).map(([param, value]) => preparePin(param, fillText(value, config)({})));
  return (url) => {
    const verdict = judgeReturnUrl(url, allowed, reserved, pins);
    if (!verdict.ok) throw new Refusal(verdict.reason, verdict.detail);
  };
}

function prepared(url: string, allow: PreparedAllow | undefined): PreparedAllow {
  if (!allow) throw new Error(`not an address that can be allowed: ${url}`);
  return allow;
}
