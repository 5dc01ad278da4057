import type { PortalName } from '../core/names.ts';
import type { PortalRequest } from '../core/portal.ts';
import { Refusal } from '../core/reason.ts';
import { foldName } from './parameter-name.ts';
import type { OpenPortal, Query } from './portal.ts';
import { type InboundParam, type PortalPreset, returnParam, unsolicitedResponse } from './preset.ts';
import { judgeReturnUrl, type PreparedAllow, prepareAllow, preparePin } from './redirect-uri.ts';
import { constantUrl, fillText } from './template.ts';

type Config = Readonly<Record<string, string>>;
type PlannedParam = {
  readonly name: string;
  readonly required: boolean;
  readonly maxLength: number;
  readonly equals: string | undefined;
  readonly isReturn: boolean;
};

const LONGEST_PARAM = 2_048;

/** Compiles what a preset says about the portal's request. `reserved`: see `judgeReturnUrl`. */
export function planRequest(
  preset: PortalPreset,
  portal: PortalName,
  config: Config,
  allowRedirects: readonly string[],
  reserved: ReadonlySet<string>,
): Pick<OpenPortal, 'readRequest' | 'readEntry' | 'returnUrl'> {
  const rules = Object.entries(preset.authn_request.params);
  const params = rules.map(([name, rule]) => planParam(name, rule, config));
  const returnName = returnParam(preset);
  const returns = params.filter((param) => param.isReturn);
  const judge = planJudge(preset, returnName, config, allowRedirects, reserved);
  const takesUnsolicited = unsolicitedResponse(preset) !== undefined;

  const read = (
    query: Query,
    wanted: readonly PlannedParam[],
    initiated: PortalRequest['initiated'],
  ): PortalRequest => {
    refuseOtherSpellings(query, wanted);
    const values: Record<string, string> = {};
    for (const param of wanted) {
      const value = query.get(param.name);
      if (value === undefined || (value === '' && !param.isReturn)) {
        if (param.required) throw new Refusal('request_parameter_missing', param.name);
        continue;
      }
      if (param.isReturn) judge(value);
      if (value.length > param.maxLength) throw new Refusal('request_malformed', `${param.name} is too long`);
      if (param.equals !== undefined && value !== param.equals)
        throw new Refusal('request_parameter_mismatch', param.name);
      values[param.name] = value;
    }
    return { portal, initiated, params: values };
  };

  return {
    readRequest: (query) => read(query, params, 'portal'),
    readEntry: (query) => {
      if (!takesUnsolicited) {
        throw new Refusal('request_parameter_missing', 'this portal takes no login that a link in an app starts');
      }
      return read(
        query,
        returns.map((param) => ({ ...param, required: false })),
        'platform',
      );
    },
    returnUrl: ({ params: given }) => {
      const url = returnName !== undefined && Object.hasOwn(given, returnName) ? given[returnName] : undefined;
      // Judged again: the routes may have changed since the request was sealed.
      if (url !== undefined) judge(url);
      return url;
    },
  };
}

function planParam(name: string, rule: InboundParam, config: Config): PlannedParam {
  return {
    name,
    required: rule.required ?? false,
    maxLength: rule.max_length ?? LONGEST_PARAM,
    equals: rule.equals === undefined ? undefined : fillText(rule.equals, config)({}),
    isReturn: rule.role === 'redirect_uri',
  };
}

function planJudge(
  preset: PortalPreset,
  name: string | undefined,
  config: Config,
  allowRedirects: readonly string[],
  reserved: ReadonlySet<string>,
): (url: string) => void {
  const rule = name === undefined ? undefined : preset.authn_request.params[name]?.url;
  const own = (rule?.allow ?? []).map((allow) => constantUrl(allow, config));
  const allowed = [...own, ...allowRedirects].map(prepare);
  const pins = Object.entries(rule?.pins ?? {}).map(([param, value]) => preparePin(param, fillText(value, config)({})));
  return (url) => {
    const verdict = judgeReturnUrl(url, allowed, reserved, pins);
    if (!verdict.ok) throw new Refusal(verdict.reason, verdict.detail);
  };
}

function prepare(url: string): PreparedAllow {
  const prepared = prepareAllow(url);
  if (!prepared) throw new Error(`not a return address that can be allowed: ${url}`);
  return prepared;
}

/** `redirect_uri[]` or `Redirect_Uri` would be ignored by us and read by somebody else. */
function refuseOtherSpellings(query: Query, wanted: readonly PlannedParam[]): void {
  for (const name of query.keys()) {
    if (wanted.some((param) => param.name === name)) continue;
    const folded = foldName(name);
    const meant = wanted.find((param) => foldName(param.name) === folded);
    if (meant) throw new Refusal('request_malformed', `${meant.name} in another spelling`);
  }
}
