import type { CheckedRoutes } from '../config/checked.ts';
import { describeProblems } from '../config/describe.ts';
import { readRoutes } from '../config/read.ts';
import { type Clock, type Instant, systemClock } from '../core/time.ts';
import { changeKeptKeys, freshKey } from '../keys/kept-keys.ts';
import { type Change, make, retire, type SigningKeys, stage, switchOver } from '../keys/signing-keys.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { describeKeyFault, describeKeys, keysDocument, publicPem, time } from './describe-keys.ts';
import type { Io } from './io.ts';
import { type KeptPlace, type KeyPlace, keyPlaces, nameOf } from './key-places.ts';
import { type KeysAsked, readKeysArguments } from './keys-arguments.ts';

const USAGE = `usage: wayhome keys list [routes.yaml] [--portal NAME | --environment NAME] [--json]
       wayhome keys make|stage [routes.yaml] --portal NAME [--json]
       wayhome keys switch|retire [routes.yaml] --portal NAME [--at TIME | --at-once] [--json]
       wayhome keys retire [routes.yaml] --portal NAME --key KID [--at TIME | --at-once] [--json]

The signing keys that the router makes for itself and keeps in its store. Running routers notice within seconds.
With --environment NAME in place of --portal: those that sign its logout tokens.
  make    makes the next key and prints its public half; nobody else is told of it yet
  stage   publishes the next key, and makes it where that was not done
  switch  plans when it takes over: as soon as everybody knows it, or at a later time (--at 2026-12-01T10:00Z)
  retire  plans when the old ones go: as soon as their last tokens are over, or at a later time; with --key, that one.
          A key that does not sign yet is called off at once
--at-once waits for nobody: for a key that was stolen. Some logins may then fail for some minutes.
Every command may be given twice.
Exit status: 0 it is so, 1 it cannot be done, 2 wrong usage, a faulty file or no store.
`;

/** `wayhome keys`: shows and changes the signing keys in the router's store. Returns the exit status. */
export async function keys(args: readonly string[], io: Io, clock: Clock = systemClock): Promise<0 | 1 | 2> {
  const asked = readKeysArguments(args);
  if (asked === 'help') {
    io.stdout.write(USAGE);
    return 0;
  }
  if ('wrong' in asked) {
    io.stderr.write(`wayhome keys: ${asked.wrong}\n${USAGE}`);
    return 2;
  }
  const found = await findPlaces(asked, io);
  if (typeof found === 'string') {
    io.stderr.write(`wayhome keys: ${found}\n`);
    return 2;
  }
  const { places, store } = found;
  try {
    const [place] = places;
    if (asked.verb === 'list' || !place) return await list(store, places, asked, io, clock());
    return await change(store, place, asked, io, clock());
  } finally {
    await store?.close();
  }
}

type Found = { readonly places: readonly KeyPlace[]; readonly store?: Store };

/** Text says why not. */
async function findPlaces({ file, of }: KeysAsked, { env }: Io): Promise<Found | string> {
  const first = await readRoutes(file, env, { secrets: 'not_needed' });
  // A Redis wants its password, which is read as one of all the secrets that the file names.
  const outcome = first.ok && first.routes.redis?.password !== undefined ? await readRoutes(file, env) : first;
  if (!outcome.ok) return describeProblems(outcome.problems);
  const places = keyPlaces(outcome.routes).filter(
    (place) => of === undefined || (of.kind in place.for && nameOf(place.for) === of.name),
  );
  if (of && places.length === 0) return `nothing is signed for the ${of.kind} ${JSON.stringify(of.name)}`;
  // Where there is nothing of ours in a store, none is made.
  if (!places.some((place) => 'kept' in place)) return { places };
  const store = await openKeptStore(outcome.routes);
  return typeof store === 'string' ? store : { places, store };
}

async function openKeptStore({ store, redis }: CheckedRoutes): Promise<Store | string> {
  if (store === 'memory:') return 'the store is memory:, whose keys nobody but the running router has';
  try {
    return await openStore(store, redis);
  } catch (error) {
    return `the store ${store} cannot be opened: ${(error as Error).message}`;
  }
}

async function list(
  store: Store | undefined,
  places: readonly KeyPlace[],
  { json }: KeysAsked,
  { stdout }: Io,
  now: Instant,
): Promise<0> {
  const documents: object[] = [];
  const lines: string[] = [];
  for (const place of places) {
    const known = store && 'kept' in place ? await changeKeptKeys(store, place, (same) => same, now) : undefined;
    const kept = known && 'keys' in known ? known.keys : undefined;
    documents.push(keysDocument(place, kept, now));
    lines.push(...describeKeys(place, kept, now));
  }
  stdout.write(json ? `${JSON.stringify({ sets: documents }, null, 2)}\n` : `${lines.join('\n')}\n`);
  return 0;
}

async function change(
  store: Store | undefined,
  place: KeyPlace,
  asked: KeysAsked,
  io: Io,
  now: Instant,
): Promise<0 | 1> {
  const { verb, json } = asked;
  const refuse = (fault: string, message: string, more: object = {}): 1 => {
    if (json) io.stdout.write(`${JSON.stringify({ ok: false, fault, message, ...more }, null, 2)}\n`);
    else io.stderr.write(`wayhome keys ${verb}: ${message}\n`);
    return 1;
  };
  if (!store || !('kept' in place)) {
    return refuse('kept_in_file', 'routes.yaml names what this portal is signed for with: see signing.next there');
  }
  const change = await planChange(asked, place, now);
  const outcome = await changeKeptKeys(store, place, change, now);
  if ('fault' in outcome) {
    const more = 'earliest' in outcome ? { earliest: time(outcome.earliest) } : {};
    return refuse(outcome.fault, describeKeyFault(outcome, verb), more);
  }
  const { keys, changed } = outcome;
  const document = { ok: true, changed, ...keysDocument(place, keys, now) };
  const lines = describeKeys(place, keys, now);
  if (!changed) lines.push('It was so already.');
  const made = verb === 'make' ? keys.at(-1) : undefined;
  if (made) lines.push(publicPem(made).trimEnd());
  io.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : `${lines.join('\n')}\n`);
  return 0;
}

async function planChange(
  { verb, when, kid }: KeysAsked,
  { algorithm, tokenLifetime }: KeptPlace,
  now: Instant,
): Promise<(keys: SigningKeys) => Change> {
  switch (verb) {
    case 'list':
      return (keys) => keys;
    case 'make':
    case 'stage': {
      const fresh = await freshKey(algorithm);
      return (keys) => (verb === 'make' ? make : stage)(keys, fresh, now);
    }
    case 'switch':
      return (keys) => switchOver(keys, when, tokenLifetime, now);
    case 'retire':
      return (keys) => retire(keys, when, tokenLifetime, now, kid);
  }
}
