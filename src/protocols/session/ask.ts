import { Refusal } from '../../core/reason.ts';
import { CLOCK_SKEW, type Instant } from '../../core/time.ts';
import { parseStrictObject } from '../../keys/strict-json.ts';
import type { Caller } from '../../outbound/outbound.ts';
import { callEnvironment, statusRefusal } from '../outbound-refusal.ts';

/** What the session endpoint says about a person, as it says it. */
export type Said = Readonly<Record<string, unknown>>;

/** Names in the answer of a session endpoint; nested ones do not count. */
const MAX_CLAIMS = 64;

/**
 * Asks a session endpoint whose session a `Cookie` header belongs to (RFC 6265 §5.4): 200 with a JSON object →
 * what it says, 401 → `undefined`, and so is an `exp` (seconds since 1970) that has passed. 403 is no way of saying
 * that nobody is signed in: a firewall says it too, and people would go in circles. Throws `Refusal`.
 *
 * Every call asks anew. An answer that was kept, or shared with another question under way, could be handed to a
 * browser that it is not about.
 */
export async function askSession(caller: Caller, url: string, cookie: string, now: Instant): Promise<Said | undefined> {
  const request = { url, headers: { accept: 'application/json', cookie } };
  const { status, body } = await callEnvironment(caller, request, REDIRECTED);
  if (status === 401) return undefined;
  if (status !== 200) throw statusRefusal('the session endpoint has to answer 200 or 401; it answered', status);
  const said = readSaid(body);
  return hasPassed(said, now) ? undefined : said;
}

const REDIRECTED = 'the session endpoint answered with a redirect; it has to answer 401 where nobody is signed in';

function readSaid(body: Buffer): Said {
  const wrong = (what: string) => new Refusal('environment_error', `the session endpoint answered 200 and ${what}`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw wrong('not UTF-8');
  }
  const said = parseStrictObject(text);
  if (typeof said === 'string') throw wrong(said);
  const { length } = Object.keys(said);
  if (length > MAX_CLAIMS) throw wrong(`more than ${MAX_CLAIMS} claims`);
  if (length === 0) throw wrong('an empty object; it has to answer 401 where nobody is signed in');
  return said;
}

function hasPassed(said: Said, now: Instant): boolean {
  if (!Object.hasOwn(said, 'exp')) return false;
  const { exp } = said;
  if (typeof exp !== 'number') throw new Refusal('environment_error', 'exp of the session is not a number of seconds');
  return exp + CLOCK_SKEW <= now;
}
