/**
 * Discovery: finding out which environment a person came from. One pure function reads the operator's list of
 * steps from top to bottom; the first that answers wins. It owns the reasons for a yes and the trail of what
 * every step saw; it leaves to others what is done with the answer. Nothing it returns is authority: at worst
 * a person sees the wrong login page.
 */
import { parseDomain, parseEmail } from './email.ts';
import type { DomainIndex } from './email-domains.ts';
import { type Environment, isOpen } from './environment.ts';
import type { Facts, Unfinished } from './facts.ts';
import type { EnvironmentName } from './names.ts';
import type { Portal } from './portal.ts';
import { type Condition, matchCondition } from './rule.ts';
import { CLOCK_SKEW, type Instant } from './time.ts';
import { latestVisit, type Visit } from './visit.ts';

export type Step =
  | { readonly by: 'hint'; readonly params: readonly string[] }
  | { readonly by: 'source' }
  | { readonly by: 'login_hint' }
  /** With `confirm` the person is asked, the remembered environment first, instead of departing at once. */
  | { readonly by: 'remembered'; readonly forSeconds: number; readonly confirm: boolean }
  | { readonly by: 'rule'; readonly when: Condition; readonly to: EnvironmentName }
  | { readonly by: 'email' }
  | { readonly by: 'picker' }
  | { readonly by: 'default'; readonly to: EnvironmentName };

/** The steps, and the indexes that they look into, prepared when the routes are read. */
export type Discovery = {
  readonly steps: readonly Step[];
  /** `email_domains` → the environments that claim the domain (several only where all say `shared`). */
  readonly byDomain: DomainIndex<EnvironmentName>;
  /** Origin of `app_url` → environments, longest path first. */
  readonly byAppOrigin: ReadonlyMap<
    string,
    readonly { readonly path: string; readonly environment: EnvironmentName }[]
  >;
};

/** Why a step answered, passed or asked. Closed, like the reasons for a no. */
export type StepReason =
  | 'address_names_environment'
  | 'hint_names_environment'
  | 'hint_names_domain'
  | 'hint_absent'
  | 'hint_unknown'
  | 'source_is_app'
  | 'source_absent'
  | 'source_unknown'
  | 'source_ambiguous'
  | 'login_hint_domain'
  | 'login_hint_absent'
  | 'login_hint_unknown'
  | 'remembered_choice'
  | 'remembered_nothing'
  | 'remembered_too_long_ago'
  | 'remembered_left_unfinished'
  | 'remembered_confirm'
  | 'rule_holds'
  | 'rule_does_not_hold'
  | 'email_domain'
  | 'email_unknown'
  | 'email_asked'
  | 'picker_chosen'
  | 'picker_asked'
  | 'picker_empty'
  | 'default'
  | 'domain_shared'
  | 'not_offered_here'
  | 'tried_before'
  | 'person_chooses_again';

export type TrailStep = {
  readonly by: Step['by'] | 'address';
  /** What the step looked at, shortened; a domain where it was an email. */
  readonly saw: string;
  readonly outcome: 'answered' | 'passed' | 'asked';
  readonly reason: StepReason;
};

export type Trail = readonly TrailStep[];

export type Discovered =
  | {
      readonly outcome: 'answered';
      readonly environment: Environment;
      readonly reason: StepReason;
      readonly trail: Trail;
      /** The person's email, where one was typed or handed over; the environment may prefill it. */
      readonly loginHint?: string;
    }
  | {
      readonly outcome: 'asked';
      readonly page: 'email' | 'picker';
      readonly reason: StepReason;
      readonly trail: Trail;
      /** The environment to put first, because this browser used it before. */
      readonly suggested?: Environment;
      /** An email was typed and belongs to nobody. */
      readonly emailUnknown?: boolean;
    }
  | { readonly outcome: 'nothing'; readonly trail: Trail };

/** A login that left by memory and did not come back within this time may have gone to the wrong place. Seconds. */
export const UNFINISHED_AFTER = 5;

/** After this it was given up rather than misled. Seconds. */
const UNFINISHED_UNTIL = 600;

type Finding =
  | { readonly found: EnvironmentName; readonly saw: string; readonly reason: StepReason; readonly loginHint?: string }
  | {
      readonly ask: 'email' | 'picker';
      readonly saw: string;
      readonly reason: StepReason;
      readonly suggested?: Environment;
    }
  | { readonly pass: StepReason; readonly saw: string };

type Context = {
  readonly discovery: Discovery;
  readonly environments: ReadonlyMap<EnvironmentName, Environment>;
  readonly portal: Portal;
  readonly facts: Facts;
  readonly now: Instant;
};

/** Reads the steps for one login start. Never throws, and never answers with an environment that the portal does not offer. */
export function discover(
  discovery: Discovery,
  environments: ReadonlyMap<EnvironmentName, Environment>,
  portal: Portal,
  facts: Facts,
  now: Instant,
): Discovered {
  const context: Context = { discovery, environments, portal, facts, now };
  const trail: TrailStep[] = [];
  const ask = facts.ask !== undefined && discovery.steps.some((step) => step.by === facts.ask) ? facts.ask : undefined;
  // What the person said on our own page outranks every guess.
  const spoken = facts.choice !== undefined ? 'picker' : facts.typedEmail !== undefined ? 'email' : undefined;
  const first = discovery.steps.find((step) => step.by === spoken);
  const steps = first ? [first, ...discovery.steps.filter((step) => step !== first)] : discovery.steps;

  for (const step of steps) {
    const finding = ask && ask !== step.by && step !== first ? passOver(step) : read(step, context);
    if ('found' in finding) {
      const environment = offered(context, finding.found);
      const again = step !== first && wasTried(facts, finding.found);
      if (environment && !again) {
        trail.push({ by: step.by, saw: finding.saw, outcome: 'answered', reason: finding.reason });
        const { reason, loginHint } = finding;
        return { outcome: 'answered', environment, reason, trail, ...(loginHint !== undefined && { loginHint }) };
      }
      const reason = environment ? 'tried_before' : 'not_offered_here';
      trail.push({ by: step.by, saw: finding.saw, outcome: 'passed', reason });
    } else if ('ask' in finding) {
      trail.push({ by: step.by, saw: finding.saw, outcome: 'asked', reason: finding.reason });
      return {
        outcome: 'asked',
        page: finding.ask,
        reason: finding.reason,
        trail,
        ...(finding.suggested && { suggested: finding.suggested }),
        ...(facts.typedEmail !== undefined && { emailUnknown: true }),
      };
    } else {
      trail.push({ by: step.by, saw: finding.saw, outcome: 'passed', reason: finding.pass });
    }
  }
  // Somebody who mistyped an address is asked again rather than sent away.
  if (facts.typedEmail !== undefined && first) {
    return { outcome: 'asked', page: 'email', reason: 'email_unknown', trail, emailUnknown: true };
  }
  return { outcome: 'nothing', trail };
}

/**
 * Where a person may belong whom one environment could not sign in: every environment that an automatic step
 * would still answer with, or suggest, in the order of the steps, each once.
 */
export function candidates(
  discovery: Discovery,
  environments: ReadonlyMap<EnvironmentName, Environment>,
  portal: Portal,
  facts: Facts,
  now: Instant,
): Environment[] {
  const context: Context = { discovery, environments, portal, facts, now };
  const found = new Set<Environment>();
  for (const step of discovery.steps) {
    if (step.by === 'picker' || (step.by === 'email' && facts.typedEmail === undefined)) continue;
    const finding = read(step, context);
    const name = 'found' in finding ? finding.found : 'ask' in finding ? finding.suggested?.name : undefined;
    const environment = name !== undefined && !wasTried(facts, name) && offered(context, name);
    if (environment) found.add(environment);
  }
  return [...found];
}

/** The environments that the picker shows for a portal at this moment, in the order of the file. */
export const pickable = (
  environments: ReadonlyMap<EnvironmentName, Environment>,
  portal: Portal,
  now: Instant,
): Environment[] => [...picks(environments, portal, now)];

function* picks(
  environments: ReadonlyMap<EnvironmentName, Environment>,
  portal: Portal,
  now: Instant,
): Generator<Environment> {
  for (const name of portal.environments) {
    const environment = environments.get(name);
    if (environment?.listed && isOpen(environment, now)) yield environment;
  }
}

/** Whether the picker has anything to show; a fleet is not gone through for it. */
const hasPicks = ({ environments, portal, now }: Context): boolean => !picks(environments, portal, now).next().done;

const wasTried = ({ tried }: Facts, name: EnvironmentName): boolean => tried?.includes(name) ?? false;

const passOver = (step: Step): Finding => ({ pass: 'person_chooses_again', saw: step.by });

function offered({ portal, environments, now }: Context, name: EnvironmentName): Environment | undefined {
  const environment = portal.environments.has(name) ? environments.get(name) : undefined;
  return environment && isOpen(environment, now) ? environment : undefined;
}

function read(step: Step, context: Context): Finding {
  switch (step.by) {
    case 'hint':
      return readHint(step.params, context);
    case 'source':
      return readSource(context);
    case 'login_hint':
      return readLoginHint(context);
    case 'remembered':
      return readRemembered(step, context);
    case 'rule': {
      const { holds, saw } = matchCondition(step.when, context.facts, context.portal.name);
      return holds
        ? { found: step.to, saw: short(saw), reason: 'rule_holds' }
        : { pass: 'rule_does_not_hold', saw: short(saw) };
    }
    case 'email':
      return readEmail(context);
    case 'picker':
      return readPicker(context);
    case 'default':
      return { found: step.to, saw: '', reason: 'default' };
  }
}

function readHint(params: readonly string[], { facts, discovery, environments }: Context): Finding {
  let unknown: string | undefined;
  for (const param of params) {
    const value = facts.query(param) ?? facts.returnQuery(param);
    if (!value) continue;
    const at = value.lastIndexOf('@');
    const saw = short(`${param}=${at === -1 ? value : `…${value.slice(at)}`}`);
    if (environments.has(value as EnvironmentName)) {
      return { found: value as EnvironmentName, saw, reason: 'hint_names_environment' };
    }
    const [only, second] = discovery.byDomain.get(parseDomain(value) ?? '') ?? [];
    if (only && !second) return { found: only, saw, reason: 'hint_names_domain' };
    unknown ??= saw;
  }
  return unknown === undefined
    ? { pass: 'hint_absent', saw: params.join(', ') }
    : { pass: 'hint_unknown', saw: unknown };
}

function readSource({ facts, discovery }: Context): Finding {
  const from = facts.header('referer') ?? facts.header('origin');
  if (!from) return { pass: 'source_absent', saw: '' };
  if (!URL.canParse(from)) return { pass: 'source_unknown', saw: 'not a URL' };
  const { origin, pathname } = new URL(from);
  const apps = discovery.byAppOrigin.get(origin) ?? [];
  const [match, second] = apps.filter((app) => pathname.startsWith(app.path));
  if (match && second?.path !== match.path) return { found: match.environment, saw: origin, reason: 'source_is_app' };
  return { pass: apps.length > 0 ? 'source_ambiguous' : 'source_unknown', saw: short(origin) };
}

function readLoginHint({ facts, discovery }: Context): Finding {
  const hint = facts.query('login_hint') ?? facts.returnQuery('login_hint');
  if (!hint) return { pass: 'login_hint_absent', saw: '' };
  return readDomainOf(hint, discovery, 'login_hint_domain', 'login_hint_unknown');
}

function readDomainOf(address: string, discovery: Discovery, found: StepReason, unknown: StepReason): Finding {
  const email = parseEmail(address.trim());
  if (!email) return { pass: unknown, saw: 'not an email address' };
  const [only, second] = discovery.byDomain.get(email.domain) ?? [];
  const saw = short(`@${email.domain}`);
  if (!only) return { pass: unknown, saw };
  return second ? { pass: 'domain_shared', saw } : { found: only, saw, reason: found, loginHint: email.address };
}

function readRemembered({ forSeconds, confirm }: Step & { by: 'remembered' }, context: Context): Finding {
  const { discovery, facts, now } = context;
  const latest = latestVisit(facts.visits);
  if (!latest) return { pass: 'remembered_nothing', saw: '' };
  const saw = latest.environment;
  if (latest.at + forSeconds < now || latest.at > now + CLOCK_SKEW) return { pass: 'remembered_too_long_ago', saw };
  const suggested = wasTried(facts, saw) ? undefined : offered(context, saw);
  // The page that asks is the picker's, and without that step nobody would read what is chosen there.
  if (suggested && discovery.steps.some(({ by }) => by === 'picker')) {
    const stuck = wasLeftUnfinished(latest, facts.unfinished, now);
    if (stuck && hasPicks(context)) return { ask: 'picker', saw, reason: 'remembered_left_unfinished', suggested };
    if (confirm) return { ask: 'picker', saw, reason: 'remembered_confirm', suggested };
  }
  return { found: saw, saw, reason: 'remembered_choice' };
}

/** Whether a login to the environment of the latest visit left after it and should have come back by now. */
export const wasLeftUnfinished = (latest: Visit, unfinished: readonly Unfinished[], now: Instant): boolean =>
  unfinished.some(({ environment, at }) => {
    const age = now - at;
    return environment === latest.environment && at > latest.at && age >= UNFINISHED_AFTER && age <= UNFINISHED_UNTIL;
  });

function readEmail({ facts, discovery }: Context): Finding {
  if (facts.typedEmail === undefined) return { ask: 'email', saw: '', reason: 'email_asked' };
  return readDomainOf(facts.typedEmail, discovery, 'email_domain', 'email_unknown');
}

function readPicker(context: Context): Finding {
  const { facts, environments } = context;
  if (facts.choice !== undefined && environments.has(facts.choice as EnvironmentName)) {
    return { found: facts.choice as EnvironmentName, saw: facts.choice, reason: 'picker_chosen' };
  }
  return hasPicks(context) ? { ask: 'picker', saw: '', reason: 'picker_asked' } : { pass: 'picker_empty', saw: '' };
}

const short = (text: string): string => (text.length > 120 ? `${text.slice(0, 119)}…` : text);
