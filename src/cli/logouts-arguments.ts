import { parseArgs } from 'node:util';
import { parseEnvironmentName, parsePortalName } from '../core/names.ts';
import { parseDuration } from '../core/time.ts';
import { type Lane, partyLane } from '../logout/lane.ts';
import type { NoticeState } from '../store/notices.ts';
import type { EndAsked } from './end-visits.ts';

const STATES = ['waiting', 'taken', 'delivered', 'dead'] as const satisfies readonly NoticeState[];
const VERBS = ['list', 'show', 'resend', 'drain', 'end'] as const;

/** `lane`: whose notices a command is about, if not everybody's; to end visits, through which environment they came. */
type Those = { readonly lane?: Lane; readonly json: boolean; readonly file: string };

export type LogoutsAsked = Those &
  (
    | { readonly verb: 'list'; readonly state?: NoticeState; readonly most: number; readonly before?: number }
    | { readonly verb: 'show'; readonly run: string }
    | { readonly verb: 'resend'; readonly ids: readonly string[] | 'dead' }
    | { readonly verb: 'drain'; readonly within: number }
    | ({ readonly verb: 'end' } & EndAsked)
  );

/** The arguments of `wayhome logouts`; `wrong` says what is wrong with them. */
export function readLogoutsArguments(args: readonly string[]): LogoutsAsked | 'help' | { readonly wrong: string } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        routes: { type: 'string', default: 'routes.yaml' },
        environment: { type: 'string' },
        portal: { type: 'string' },
        subject: { type: 'string' },
        sid: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        state: { type: 'string' },
        dead: { type: 'boolean', default: false },
        most: { type: 'string', default: '50' },
        before: { type: 'string' },
        within: { type: 'string', default: '60s' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return 'help';
    const { json, routes: file } = values;
    const lane = readLane(values);
    const those = { ...(lane !== undefined && { lane }), json, file };
    const [verb = '', ...named] = positionals;
    switch (VERBS.find((known) => known === verb)) {
      case 'list':
        return named.length > 0 ? { wrong: 'list takes no names' } : { ...those, verb: 'list', ...readPage(values) };
      case 'show': {
        const [run] = named;
        return run === undefined || named.length > 1
          ? { wrong: 'show takes one run' }
          : { ...those, verb: 'show', run };
      }
      case 'resend':
        if (values.dead === named.length > 0) return { wrong: 'resend takes ids, or --dead for all dead letters' };
        return { ...those, verb: 'resend', ids: values.dead ? 'dead' : named };
      case 'drain': {
        const within = parseDuration(values.within);
        if (named.length > 0 || within === undefined) return { wrong: 'drain takes no names, and --within a duration' };
        return { ...those, verb: 'drain', within };
      }
      case 'end':
        return named.length > 0 ? { wrong: 'end takes no names' } : { ...those, verb: 'end', ...readEnd(values) };
      default:
        return { wrong: `it takes one of ${VERBS.join(', ')}` };
    }
  } catch (error) {
    return { wrong: (error as Error).message };
  }
}

/** Throws `Error`. */
function readLane({ environment, portal }: { readonly environment?: string; readonly portal?: string }) {
  if (environment !== undefined && portal !== undefined) throw new Error('--environment or --portal, not both');
  if (environment !== undefined) return parseEnvironmentName(environment) ?? nameless('--environment', environment);
  if (portal === undefined) return undefined;
  return partyLane(parsePortalName(portal) ?? nameless('--portal', portal));
}

function nameless(option: string, text: string): never {
  throw new Error(`${option} ${JSON.stringify(text)} is no name`);
}

type Person = {
  readonly environment?: string;
  readonly subject?: string;
  readonly sid?: string;
  readonly 'dry-run': boolean;
};

/** Throws `Error`. */
function readEnd({ environment = '', subject, sid, 'dry-run': dryRun }: Person): EndAsked {
  const named = parseEnvironmentName(environment);
  if (!named) throw new Error('end takes --environment');
  if (subject) return { environment: named, gone: { subject, ...(sid && { sid }) }, dryRun };
  if (sid) return { environment: named, gone: { sid }, dryRun };
  throw new Error('end takes --subject or --sid');
}

type Page = { readonly state?: string; readonly dead: boolean; readonly most: string; readonly before?: string };

/** Throws `Error`. */
function readPage({ state: named, dead, most, before }: Page) {
  const state = dead ? 'dead' : STATES.find((known) => known === named);
  if (named !== undefined && state !== named) throw new Error(`--state is one of ${STATES.join(', ')}`);
  return {
    most: Math.min(wholeNumber('--most', most), 1_000),
    ...(state && { state }),
    ...(before !== undefined && { before: wholeNumber('--before', before) }),
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw new Error(`${name} is a whole number`);
  return Number(text);
}
