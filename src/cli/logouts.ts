import { existsSync } from 'node:fs';
import type { CheckedRoutes } from '../config/checked.ts';
import { describeProblems } from '../config/describe.ts';
import { readRoutes } from '../config/read.ts';
import { type Clock, systemClock } from '../core/time.ts';
import { ownerOf } from '../logout/lane.ts';
import { countDocument, noticeDocument } from '../logout/notice-document.ts';
import { GIVE_UP_AFTER } from '../logout/schedule.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { describeEnded, endedDocument } from './describe-ended.ts';
import { describeCounts, describeNotice, describeNotices } from './describe-notices.ts';
import { drain } from './drain.ts';
import { type EndAsked, endVisits } from './end-visits.ts';
import type { Io } from './io.ts';
import { type LogoutsAsked, readLogoutsArguments } from './logouts-arguments.ts';
import { noticeIds } from './notice-ids.ts';

const USAGE = `usage: wayhome logouts list [--state waiting|taken|delivered|dead | --dead] [--most 50] [--before CURSOR]
       wayhome logouts show <run>
       wayhome logouts resend <id>… | --dead
       wayhome logouts drain [--within 60s]
       wayhome logouts end --environment NAME (--subject NAME | --sid NAME) [--dry-run]
each with [--routes routes.yaml] [--json], all but the last with [--environment NAME | --portal NAME]

Environments that are told behind people's backs that they signed out (logout.back and logout.pull), and portals that
are (backchannel_logout_uri).
  list    what was to be told, the newest first
  show    one sign-out, by the reference that the log has
  resend  makes dead or waiting ones due at once; a running router takes them up within seconds
  drain   delivers what waits from here, beside a running router or without one, and waits for the end
  end     ends the visits of somebody, as their environment calls them, or of one session of it; routers tell the
          environment and whoever else has to know. Only visits that are recorded can be found: logout.receive
Exit status: 0 it is so, 1 there is no such run, id or visit, or something is left, 2 wrong usage, a faulty file or no store.
`;

/** `wayhome logouts`: shows who is to be told of sign-outs, has it told, and ends visits. Returns the exit status. */
export async function logouts(args: readonly string[], io: Io, clock: Clock = systemClock): Promise<0 | 1 | 2> {
  const asked = readLogoutsArguments(args);
  if (asked === 'help') {
    io.stdout.write(USAGE);
    return 0;
  }
  if ('wrong' in asked) return refuse(io, `${asked.wrong}\n${USAGE}`);
  const first = await readRoutes(asked.file, io.env, { secrets: 'not_needed' });
  // A Redis wants its password, and whoever delivers proves itself to environments.
  const needsSecrets =
    asked.verb === 'drain' || asked.verb === 'end' || (first.ok && first.routes.redis?.password !== undefined);
  const outcome = needsSecrets ? await readRoutes(asked.file, io.env) : first;
  if (!outcome.ok) return refuse(io, describeProblems(outcome.problems));
  const { routes } = outcome;
  if (asked.lane !== undefined && (asked.verb === 'drain' || asked.verb === 'end')) {
    const { environment, portal } = ownerOf(asked.lane);
    if (environment !== undefined && !routes.environments.has(environment))
      return refuse(io, `there is no environment ${JSON.stringify(environment)}`);
    if (portal !== undefined && !routes.relyingParties.has(portal))
      return refuse(io, `there is no portal ${JSON.stringify(portal)} that is a relying party`);
  }
  const store = await openKeptStore(routes);
  if (typeof store === 'string') return refuse(io, store);
  try {
    return await answer(asked, routes, store, io, clock);
  } finally {
    await store.close();
  }
}

function refuse({ stderr }: Io, what: string): 2 {
  stderr.write(`wayhome logouts: ${what}\n`);
  return 2;
}

async function openKeptStore({ store, redis }: CheckedRoutes): Promise<Store | string> {
  if (store === 'memory:') return 'the store is memory:, and what it keeps nobody but the running router has';
  const path = store.startsWith('sqlite:') ? store.slice('sqlite:'.length) : undefined;
  if (path !== undefined && !existsSync(path)) return `there is no store at ${path} yet`;
  try {
    return await openStore(store, redis);
  } catch (error) {
    return `the store cannot be opened: ${(error as Error).message}`;
  }
}

async function answer(asked: LogoutsAsked, routes: CheckedRoutes, store: Store, io: Io, clock: Clock): Promise<0 | 1> {
  const { notices } = store;
  const lane = asked.lane === undefined ? {} : { lane: asked.lane };
  const say = (document: object, lines: readonly string[]) =>
    io.stdout.write(asked.json ? `${JSON.stringify(document, null, 2)}\n` : lines.map((line) => `${line}\n`).join(''));

  switch (asked.verb) {
    case 'list': {
      const { state, most, before } = asked;
      const found = await notices.list({ ...lane, ...(state && { state }) }, most, before);
      const counts = await notices.counts();
      const document = { notices: found.map(noticeDocument), counts: countDocument(counts) };
      say(document, [...describeNotices(found), ...describeCounts(counts)]);
      return 0;
    }
    case 'show': {
      const found = await notices.list({ run: asked.run, ...lane }, 1_000);
      say({ run: asked.run, notices: found.map(noticeDocument) }, found.flatMap(describeNotice));
      if (found.length === 0) io.stderr.write('nobody was told of this sign-out, or that is long ago\n');
      return found.length === 0 ? 1 : 0;
    }
    case 'resend': {
      const ids = asked.ids === 'dead' ? await noticeIds(notices, { ...lane, state: 'dead' }) : asked.ids;
      const now = clock();
      const resent = await notices.resend(ids, now, now + GIVE_UP_AFTER);
      say({ resent }, [`${resent} ${resent === 1 ? 'is' : 'are'} due at once`]);
      return asked.ids === 'dead' || resent === new Set(asked.ids).size ? 0 : 1;
    }
    case 'drain': {
      const drained = await drain(routes, store, { ...lane, within: asked.within }, io.env, clock);
      const { delivered, dead, waiting } = drained;
      say(drained, [`${delivered} delivered, ${dead} dead, ${waiting} still wait`]);
      return waiting === 0 && dead === 0 ? 0 : 1;
    }
    case 'end': {
      const ended = await endVisits(routes, store, asked, io.env, clock);
      say({ ...endedDocument(ended), ...(asked.dryRun && { dry_run: true }) }, describeEnded(ended));
      if (ended.over.length > 0) return 0;
      io.stderr.write(`${whyNone(routes, asked)}\n`);
      return 1;
    }
  }
}

function whyNone({ environments }: CheckedRoutes, { environment }: EndAsked): string {
  if (environments.get(environment)?.receive) return `nobody of that name has a visit through ${environment} on record`;
  return `environment ${environment} has no logout.receive: visits that only their browser can end are not recorded`;
}
