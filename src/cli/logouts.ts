import { existsSync } from 'node:fs';
import type { CheckedRoutes } from '../config/checked.ts';
import { describeProblems } from '../config/describe.ts';
import { readRoutes } from '../config/read.ts';
import type { EnvironmentName } from '../core/names.ts';
import { type Clock, systemClock } from '../core/time.ts';
import { countDocument, noticeDocument } from '../logout/notice-document.ts';
import { GIVE_UP_AFTER } from '../logout/schedule.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { describeCounts, describeNotice, describeNotices } from './describe-notices.ts';
import { drain } from './drain.ts';
import type { Io } from './io.ts';
import { type LogoutsAsked, readLogoutsArguments } from './logouts-arguments.ts';
import { noticeIds } from './notice-ids.ts';

const USAGE = `usage: wayhome logouts list [--environment NAME] [--state waiting|taken|delivered|dead | --dead]
                            [--most 50] [--before CURSOR]
       wayhome logouts show <run>
       wayhome logouts resend <id>… | --dead [--environment NAME]
       wayhome logouts drain [--environment NAME] [--within 60s]
each with [--routes routes.yaml] [--json]

Environments that are told behind people's backs that they signed out (logout.back and logout.pull).
  list    what was to be told, the newest first
  show    one sign-out, by the reference that the log has
  resend  makes dead or waiting ones due at once; a running router takes them up within seconds
  drain   delivers what waits from here, beside a running router or without one, and waits for the end
Exit status: 0 it is so, 1 there is no such run, id, or something is left, 2 wrong usage, a faulty file or no store.
`;

/** `wayhome logouts`: shows what environments are to be told, and has it told. Returns the exit status. */
export async function logouts(args: readonly string[], io: Io, clock: Clock = systemClock): Promise<0 | 1 | 2> {
  const asked = readLogoutsArguments(args);
  if (asked === 'help') {
    io.stdout.write(USAGE);
    return 0;
  }
  if ('wrong' in asked) return refuse(io, `${asked.wrong}\n${USAGE}`);
  const first = await readRoutes(asked.file, io.env, { secrets: 'not_needed' });
  // A Redis wants its password, and whoever delivers proves itself to environments.
  const needsSecrets = asked.verb === 'drain' || (first.ok && first.routes.redis?.password !== undefined);
  const outcome = needsSecrets ? await readRoutes(asked.file, io.env) : first;
  if (!outcome.ok) return refuse(io, describeProblems(outcome.problems));
  const { routes } = outcome;
  const { environment } = asked;
  if (environment !== undefined && asked.verb === 'drain' && !routes.environments.has(environment as EnvironmentName))
    return refuse(io, `there is no environment ${JSON.stringify(environment)}`);
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
  const lane = asked.environment === undefined ? {} : { lane: asked.environment };
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
      if (found.length === 0) io.stderr.write('no environment was told of this sign-out, or that is long ago\n');
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
  }
}
