import { BlockList } from 'node:net';
import type { Discovery, Step } from '../core/discovery.ts';
import { type DomainClaim, indexDomains } from '../core/email-domains.ts';
import type { Environment } from '../core/environment.ts';
import type { EnvironmentName } from '../core/names.ts';
import { addRange, type Condition } from '../core/rule.ts';
import { seconds } from './built-values.ts';
import { type RuleValues, valuesOf } from './rule-values.ts';
import type { RoutesFile } from './schema.ts';
import type { WhenEntry } from './schema-discovery.ts';

type StepEntry = RoutesFile['discovery'][number];

/** `discovery`, faultless, and the indexes that its steps look into. */
export function buildDiscovery(
  steps: readonly StepEntry[],
  environments: ReadonlyMap<EnvironmentName, Environment>,
): Discovery {
  const claims: [DomainClaim, EnvironmentName][] = [];
  const byAppOrigin = new Map<string, { path: string; environment: EnvironmentName }[]>();
  for (const { name, appUrl, mayAssert } of environments.values()) {
    const { emailDomains } = mayAssert;
    if (emailDomains !== 'any') for (const claim of emailDomains.claims) claims.push([claim, name]);
    const { origin, pathname } = new URL(appUrl);
    append(byAppOrigin, origin, { path: pathname, environment: name });
  }
  for (const apps of byAppOrigin.values()) apps.sort((a, b) => b.path.length - a.path.length);
  return { steps: steps.map(buildStep), byDomain: indexDomains(claims), byAppOrigin };
}

function append<Value>(index: Map<string, Value[]>, key: string, value: Value): void {
  const known = index.get(key);
  if (known) known.push(value);
  else index.set(key, [value]);
}

function buildStep(step: StepEntry): Step {
  switch (step.by) {
    case 'hint':
      return { by: 'hint', params: step.params ?? ['env'] };
    case 'remembered':
      return { by: 'remembered', forSeconds: seconds(step.for ?? '30d'), confirm: step.confirm ?? false };
    case 'rule':
      return { by: 'rule', when: buildCondition(step.when), to: step.to as EnvironmentName };
    case 'default':
      return { by: 'default', to: step.to as EnvironmentName };
    default:
      return { by: step.by };
  }
}

function buildCondition({
  header,
  query,
  host,
  portal,
  client_ip: ranges,
  language,
  any,
  all,
  not,
}: WhenEntry): Condition {
  return {
    ...(header && { header: { name: header.name.toLowerCase(), in: setOf(header.in) } }),
    ...(query && { query: { name: query.name, in: setOf(query.in) } }),
    ...(host !== undefined && { host: lowerSetOf(host) }),
    ...(portal !== undefined && { portal: setOf(portal) }),
    ...(ranges !== undefined && { clientIp: blockList(setOf(ranges)) }),
    ...(language !== undefined && { language: lowerSetOf(language) }),
    ...(any && { any: any.map(buildCondition) }),
    ...(all && { all: all.map(buildCondition) }),
    ...(not && { not: buildCondition(not) }),
  };
}

const setOf = (values: RuleValues): Set<string> => new Set(valuesOf(values, []).map(({ value }) => value));

const lowerSetOf = (values: RuleValues): Set<string> => new Set([...setOf(values)].map((value) => value.toLowerCase()));

function blockList(ranges: Iterable<string>): BlockList {
  const list = new BlockList();
  for (const range of ranges) addRange(list, range);
  return list;
}
