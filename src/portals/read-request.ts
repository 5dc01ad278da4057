import type { PortalRequest } from '../core/portal.ts';
import { Refusal } from '../core/reason.ts';
import { type Judge, planJudge } from './inbound-url.ts';
import { foldName } from './parameter-name.ts';
import type { OpenPortal, PortalSettings, Query } from './portal.ts';
import { type PortalPreset, returnParam, unsolicitedResponse } from './preset.ts';
import { type InboundParam, outerNames } from './preset-request.ts';
import { planSignedRequest } from './signed-request.ts';
import { fillText } from './template.ts';
import { planUnencoded } from './unencoded.ts';

type Config = Readonly<Record<string, string>>;
type PlannedParam = {
  readonly name: string;
  readonly role: InboundParam['role'];
  readonly required: boolean;
  readonly maxLength: number;
  readonly equals: string | undefined;
  readonly judge: Judge | undefined;
};

const LONGEST_PARAM = 2_048;
const NO_NAMES: ReadonlySet<string> = new Set();

/**
 * Compiles what a preset says about the portal's request. `secrets` are the portal's, as it signs with them;
 * `reserved`: see `judgeReturnUrl`.
 */
export function planRequest(
  preset: PortalPreset,
  given: PortalSettings,
  config: Config,
  secrets: readonly Buffer[],
  reserved: ReadonlySet<string>,
): Pick<OpenPortal, 'readRequest' | 'readEntry' | 'returnUrl' | 'errorUrl'> {
  const portal = given.portal.name;
  const rules = Object.entries(preset.authn_request.params);
  const params = rules.map(([name, rule]) => planParam(name, rule, config, given.allowRedirects, reserved));
  const returnName = returnParam(preset);
  const openSigned = planSignedRequest(preset, config, secrets);
  const outer = outerNames(preset.authn_request);
  const withRest = planUnencoded(preset);
  // A link in an app is not signed, so it can bring nothing where requests are.
  const deep = openSigned ? [] : params.filter(({ role }) => role === 'redirect_uri' || role === 'return_to');
  const entryParams = deep.map((param) => ({ ...param, required: false }));

  return {
    readRequest: (query, arrival) => {
      if (!openSigned) {
        return { portal, initiated: 'portal', params: readParams(withRest(query, arrival), params) };
      }
      refuseOtherSpellings(query, outer);
      // What is signed is kept beside what it says: asking for the same again needs it.
      const signed = Object.fromEntries(outer.map((name) => [name, query.get(name) ?? '']));
      const inner = openSigned(query, arrival);
      return { portal, initiated: 'portal', params: { ...signed, ...readParams(inner, params) } };
    },
    readEntry: (query) => {
      if (unsolicitedResponse(preset) === undefined) {
        throw new Refusal('request_parameter_missing', 'this portal takes no login that a link in an app starts');
      }
      return { portal, initiated: 'platform', params: readParams(query, entryParams) };
    },
    // Judged again: the routes may have changed since the request was sealed.
    returnUrl: (request) => judged(request, params, returnName),
    ...planErrorUrl(preset, config, params),
  };
}

/** The values of the wanted parameters, in the preset's order. Throws `Refusal`. */
function readParams(query: Query, wanted: readonly PlannedParam[]): Record<string, string> {
  refuseOtherSpellings(
    query,
    wanted.map(({ name }) => name),
  );
  const values: Record<string, string> = {};
  for (const { name, role, required, maxLength, equals, judge } of wanted) {
    const value = query.get(name);
    if (value === undefined || (value === '' && role !== 'redirect_uri')) {
      if (required) throw new Refusal('request_parameter_missing', name);
      continue;
    }
    judge?.(value);
    if (value.length > maxLength) throw new Refusal('request_malformed', `${name} is too long`);
    if (equals !== undefined && value !== equals) throw new Refusal('request_parameter_mismatch', name);
    values[name] = value;
  }
  return values;
}

function planParam(
  name: string,
  rule: InboundParam,
  config: Config,
  allowRedirects: readonly string[],
  reserved: ReadonlySet<string>,
): PlannedParam {
  const { role, url } = rule;
  const isReturn = role === 'redirect_uri';
  const own = url?.kind === 'absolute' ? url.reserved : undefined;
  const names = isReturn ? reserved : own ? new Set(own.map(foldName)) : NO_NAMES;
  return {
    name,
    role,
    required: rule.required ?? false,
    maxLength: rule.max_length ?? LONGEST_PARAM,
    equals: rule.equals === undefined ? undefined : fillText(rule.equals, config)({}),
    judge: url && planJudge(name, role, url, config, role === 'error_uri' ? [] : allowRedirects, names),
  };
}

function planErrorUrl(
  { error }: PortalPreset,
  config: Config,
  params: readonly PlannedParam[],
): Pick<OpenPortal, 'errorUrl'> {
  if (!error) return {};
  const [from, name = ''] = error.value.split('.');
  return { errorUrl: (request) => (from === 'config' ? config[name] : judged(request, params, name)) };
}

/** An address of a request, where it has one. Throws `Refusal` for one that is not allowed any more. */
function judged(
  { params: given }: PortalRequest,
  params: readonly PlannedParam[],
  name: string | undefined,
): string | undefined {
  const url = name !== undefined && Object.hasOwn(given, name) ? given[name] : undefined;
  if (url !== undefined) params.find((param) => param.name === name)?.judge?.(url);
  return url;
}

/** `redirect_uri[]` or `Redirect_Uri` would be ignored by us and read by somebody else. */
function refuseOtherSpellings(query: Query, wanted: readonly string[]): void {
  for (const name of query.keys()) {
    if (wanted.includes(name)) continue;
    const folded = foldName(name);
    const meant = wanted.find((known) => foldName(known) === folded);
    if (meant) throw new Refusal('request_malformed', `${meant} in another spelling`);
  }
}
