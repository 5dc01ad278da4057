/**
 * `/logout-feed/<environment>`: an environment that the router cannot reach fetches who signed out, and says what it
 * has. What it is given are the logout tokens that others are posted, made anew for each answer.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { EnvironmentName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import type { Receiver } from '../logout/receiver.ts';
import type { Answer } from './answer.ts';
import type { Call } from './call.ts';
import { jsonFor } from './exchange-answer.ts';
import { recordNotice } from './logout-audit.ts';
import type { Turn } from './turn.ts';

/** The longest time that a request may wait for something to tell. Seconds. */
const LONGEST_WAIT = 30;

/** `GET …?after=<cursor>&wait=<seconds>` → `{ notices: [{ cursor, logout_token }], next }`. */
export async function readFeed(turn: Turn, name: EnvironmentName): Promise<Answer> {
  const { surface, call, now } = turn;
  const receiver = fetcherOf(turn, name);
  const after = wholeNumber(call, 'after', Number.MAX_SAFE_INTEGER);
  const wait = wholeNumber(call, 'wait', LONGEST_WAIT);
  const found = await surface.outbox.feed.read(name, after, wait).catch(unavailable);
  if (found === 'full') throw new Refusal('feed_crowded', name);
  // What was waited for was posted later.
  const minted = Math.max(now, surface.clock());
  const notices: { readonly cursor: number; readonly logout_token: string }[] = [];
  // The routes may have changed meanwhile; who came with a good secret is answered by those of then.
  for (const notice of found) {
    const token = await surface.outbox.tokenFor(notice, receiver, minted);
    if (token !== undefined) notices.push({ cursor: notice.cursor, logout_token: token });
    else recordNotice(surface.audit, notice, { to: 'dead', receipt: 'sealed with a key that has gone' }, undefined);
  }
  return jsonFor(undefined, 200, { notices, next: found.at(-1)?.cursor ?? after });
}

/** `POST …/ack` with `cursor=<cursor>`: everything up to it has arrived → `{ acknowledged }`, how many that were. */
export async function acknowledgeFeed(turn: Turn, name: EnvironmentName): Promise<Answer> {
  const { surface, call } = turn;
  fetcherOf(turn, name);
  if (!call.form.has('cursor')) throw new Refusal('request_parameter_missing', 'cursor');
  const upTo = wholeNumber({ query: call.form }, 'cursor', Number.MAX_SAFE_INTEGER);
  const notices = await surface.outbox.feed.acknowledge(name, upTo).catch(unavailable);
  for (const notice of notices) recordNotice(surface.audit, notice, { to: 'delivered', receipt: 'fetched' }, undefined);
  return jsonFor(undefined, 200, { acknowledged: notices.length });
}

/** Whose feed this is, once it has proved itself (RFC 6750 §2.1); compared in constant time. Throws `Refusal`. */
function fetcherOf({ live, call, trace }: Turn, name: EnvironmentName): Receiver {
  const receiver = live.receivers.get(name);
  if (receiver?.by !== 'pull') throw new Refusal('address_unknown', `environment ${name} has no logout.pull`);
  trace.environment = name;
  const [, shown] = /^Bearer ([\x21-\x7e]+)$/i.exec(call.header('authorization') ?? '') ?? [];
  const given = createHash('sha256')
    .update(shown ?? '')
    .digest();
  if (!timingSafeEqual(given, receiver.secret)) throw new Refusal('feed_secret_refused');
  return receiver;
}

function wholeNumber({ query }: Pick<Call, 'query'>, name: string, most: number): number {
  const text = query.get(name);
  if (text === undefined) return 0;
  const value = /^(?:0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= most)) throw new Refusal('request_malformed', `${name} is no whole number up to ${most}`);
  return value;
}

function unavailable(error: unknown): never {
  throw new Refusal('store_unavailable', error instanceof Error ? error.message : undefined);
}
