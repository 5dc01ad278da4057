import { type Reason, Refusal } from '../../core/reason.ts';
import { CLOCK_SKEW, type Instant } from '../../core/time.ts';
import { parseStrictObject } from '../../keys/strict-json.ts';
import { type Caller, type OutboundAnswer, OutboundError, type OutboundErrorKind } from '../../outbound/outbound.ts';

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
  const { status, body } = await call(caller, url, cookie);
  if (status === 401) return undefined;
  if (status !== 200) {
    const passing = status === 429 || status >= 500;
    throw new Refusal(
      passing ? 'environment_unavailable' : 'environment_error',
      `the session endpoint answered ${status}; it has to answer 200 or 401`,
    );
  }
  const said = readSaid(body);
  return hasPassed(said, now) ? undefined : said;
}

async function call(caller: Caller, url: string, cookie: string): Promise<OutboundAnswer> {
  try {
    return await caller.call({ url, headers: { accept: 'application/json', cookie } });
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    throw new Refusal(
      REASON_OF[error.kind] ?? 'environment_unavailable',
      error.kind === 'redirect'
        ? 'the session endpoint answered with a redirect; it has to answer 401 where nobody is signed in'
        : `the session endpoint: ${error.message}`,
    );
  }
}

/** Everything else is a session endpoint that cannot be reached. */
const REASON_OF: { readonly [kind in OutboundErrorKind]?: Reason } = {
  timeout: 'environment_timeout',
  redirect: 'environment_error',
  too_large: 'environment_error',
  encoding: 'environment_error',
};

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
