/**
 * What every protocol promises (src/protocols/delegate.ts), as one suite that each of them passes against a
 * counterpart: an environment that can sign somebody in. Nothing here knows how a protocol speaks.
 */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import type { Test } from 'tap';
import type { Assertion } from '../../src/core/environment.ts';
import type { EnvironmentName } from '../../src/core/names.ts';
import type { Reason } from '../../src/core/reason.ts';
import type { Answer, Begun, Browser, CarriedLogin, Delegate, Departure } from '../../src/protocols/delegate.ts';
import { reasonOf } from '../keys/tokens.ts';
import { answers, values } from './answers.ts';

/** An environment, and the delegate that was opened for it. Another one trusts nothing of it. */
export type Counterpart = {
  readonly delegate: Delegate;
  /** Signs a person in where a departure led, at the present time. */
  signIn(departure: Departure, email: string): Promise<Came>;
  /** The person would rather not. */
  cancel(departure: Departure): Promise<Came>;
  /** The email that the environment was told; absent where the protocol has no word for it. */
  readonly hintOf?: (departure: Departure) => string | undefined;
  /** Ends a session where a sign-out led; absent where the protocol cannot. */
  readonly signOut?: (departure: Departure) => Promise<Answer>;
  readonly refuses: Refuses;
  /** Ends what is not the delegate's own. */
  close(): Promise<void>;
};

/** For which reason an answer is refused. */
export type Refuses = {
  readonly ofAnotherLogin: Reason;
  readonly ofAnotherEnvironment: Reason;
  /** The other environment's own login, with an answer that is not its. */
  readonly crossed: Reason;
  readonly late: Reason;
  /** Absent where an answer is of the moment in which it is asked for: there is none from the future. */
  readonly early?: Reason;
  readonly empty: Reason;
};

/** What came back to the return address, and the browser that brought it. */
export type Came = { readonly answer: Answer; readonly browser: Browser };

export type OpenCounterpart = (environment: EnvironmentName) => Promise<Counterpart>;

/** A browser that no environment has given a cookie. */
export const CLEAN: Browser = { cookies: () => [] };

const EMAILS = Array.from({ length: 20 }, (_, index) => `person${index}@acme.example`);
/** Everybody who signs in here. */
export const PEOPLE = ['ada@acme.example', 'grace@acme.example', 'eve@acme.example', ...EMAILS];

const US = 'us' as EnvironmentName;
const EU = 'eu' as EnvironmentName;
const HOUR = 3_600;
/** The counterparts have the real time. */
const present = (): number => Math.floor(Date.now() / 1000);

export function delegateConformance(t: Test, openCounterpart: OpenCounterpart): void {
  const open = async (t: Test, environment = US): Promise<Counterpart> => {
    const counterpart = await openCounterpart(environment);
    t.teardown(async () => {
      counterpart.delegate.close?.();
      await counterpart.close();
    });
    return counterpart;
  };

  t.test('a login leaves with its state, once, and brings it back', async (t) => {
    const { delegate, signIn } = await open(t);
    const { departure, state } = await leave(delegate);
    t.equal(timesIn(departure, state), 1);
    const { answer } = await signIn(departure, 'ada@acme.example');
    t.equal(answer.get(delegate.stateParam ?? 'state'), state);
  });

  t.test('the environment is told the email that is known, and only then', async (t) => {
    const { delegate, hintOf } = await open(t);
    const email = 'a+b&c=d@acme.example';
    const known = await leave(delegate, { loginHint: email });
    const unknown = await leave(delegate);
    if (hintOf === undefined) return t.comment('this protocol has no word for it');
    t.equal(hintOf(known.departure), email);
    t.equal(hintOf(unknown.departure), undefined);
  });

  t.test('no two logins leave alike', async (t) => {
    const { delegate } = await open(t);
    const [one, other] = [await leave(delegate), await leave(delegate)];
    t.notSame(one.departure, other.departure);
    t.equal(timesIn(other.departure, one.state), 0, 'nothing of the first is kept for the second');
    t.equal(timesIn(other.departure, one.carried.nonce), 0);
  });

  t.test('a person has one name at every login, which is nobody else’s', async (t) => {
    const { delegate, signIn } = await open(t);
    const nameOf = async (email: string) => {
      const { departure, carried } = await leave(delegate);
      const { answer, browser } = await signIn(departure, email);
      return (await delegate.complete(answer, { ...carried, browser }, present())).subject;
    };
    const ada = await nameOf('ada@acme.example');
    t.ok(ada, 'what a logout token calls them');
    t.equal(await nameOf('ada@acme.example'), ada);
    t.not(await nameOf('grace@acme.example'), ada);
  });

  t.test('the person who signed in is asserted, by that environment', async (t) => {
    const { delegate, signIn } = await open(t);
    for (const email of ['ada@acme.example', 'grace@acme.example']) {
      const { departure, carried } = await leave(delegate);
      const { answer, browser } = await signIn(departure, email);
      const now = present();
      const assertion = await delegate.complete(answer, { ...carried, browser }, now);
      t.equal(assertion.claims.email, email);
      t.equal(assertion.environment, US);
      t.ok(assertion.acceptableUntil >= now, 'acceptable until now, or later');
      t.ok(Number.isSafeInteger(assertion.acceptableUntil));
      t.ok(assertion.replayKey === undefined || assertion.replayKey.includes(US), 'single use within its environment');
    }
  });

  t.test('logins under way at once do not meet', async (t) => {
    const { delegate, signIn } = await open(t);
    const left = await Promise.all(EMAILS.map(async (email) => ({ email, ...(await leave(delegate)) })));
    const came = await Promise.all(
      left
        .reverse()
        .map(async ({ email, departure, carried }) => ({ email, carried, ...(await signIn(departure, email)) })),
    );
    const ended = await Promise.all(
      came.map(async ({ email, carried, answer, browser }) => {
        const { claims } = await delegate.complete(answer, { ...carried, browser }, present());
        return claims.email === email;
      }),
    );
    t.same(new Set(ended), new Set([true]));
  });

  t.test('the answer to another login is refused', async (t) => {
    const { delegate, signIn, refuses } = await open(t);
    const [attacker, victim] = [await leave(delegate), await leave(delegate)];
    const { answer } = await signIn(attacker.departure, 'eve@acme.example');
    t.equal(await reasonOf(() => delegate.complete(answer, victim.carried, present())), refuses.ofAnotherLogin);
  });

  t.test('the answer of another environment is refused', async (t) => {
    const [us, eu] = [await open(t, US), await open(t, EU)];
    const left = await leave(us.delegate);
    const { answer, browser } = await us.signIn(left.departure, 'ada@acme.example');
    const carried = { ...left.carried, browser };
    const { ofAnotherEnvironment, crossed } = eu.refuses;
    t.equal(await reasonOf(() => eu.delegate.complete(answer, carried, present())), ofAnotherEnvironment);
    const meant = await leave(eu.delegate);
    const itsOwn = { ...meant.carried, browser };
    t.equal(await reasonOf(() => eu.delegate.complete(answer, itsOwn, present())), crossed, 'to a login of its own');
  });

  t.test('a person who would rather not is access_denied', async (t) => {
    const { delegate, cancel } = await open(t);
    const { departure, carried } = await leave(delegate);
    const { answer, browser } = await cancel(departure);
    t.equal(await reasonOf(() => delegate.complete(answer, { ...carried, browser }, present())), 'access_denied');
  });

  t.test('an answer is judged by the time that is handed in', async (t) => {
    for (const [when, seconds] of Object.entries({ late: HOUR, early: -HOUR } as const)) {
      const { delegate, signIn, refuses } = await open(t);
      const reason = refuses[when as 'late' | 'early'];
      if (reason === undefined) continue;
      const { departure, carried } = await leave(delegate);
      const { answer, browser } = await signIn(departure, 'ada@acme.example');
      const complete = () => delegate.complete(answer, { ...carried, browser }, present() + seconds);
      t.equal(await reasonOf(complete), reason, when);
    }
  });

  t.test('an answer that says nothing, or anything, is a refusal', async (t) => {
    const { delegate, refuses } = await open(t);
    const { carried } = await leave(delegate);
    t.equal(await reasonOf(() => delegate.complete(new Map(), carried, present())), refuses.empty);
    await fc.assert(
      fc.asyncProperty(answers, async (answer) => {
        const before = new Map(answer);
        const reason = await reasonOf(() => delegate.complete(answer, carried, present()));
        return reason !== 'accepted' && [...before].every(([name, value]) => answer.get(name) === value);
      }),
      { numRuns: 150 },
    );
    const { completeUnsolicited } = delegate;
    if (completeUnsolicited === undefined) return;
    await fc.assert(
      fc.asyncProperty(values, async (token) => {
        return (await reasonOf(() => completeUnsolicited(token, present()))) !== 'accepted';
      }),
      { numRuns: 150 },
    );
  });

  t.test('a carry that is not this login’s, or none, is a refusal', async (t) => {
    const { delegate, signIn } = await open(t);
    const { departure, carried } = await leave(delegate);
    if (carried.carry === undefined) return t.comment('this protocol carries nothing');
    for (const carry of [undefined, '', 'x', '\u0000', 'a'.repeat(256)]) {
      const { answer, browser } = await signIn(departure, 'ada@acme.example');
      const { nonce } = carried;
      const other = { nonce, browser, ...(carry !== undefined && { carry }) };
      t.not(
        await reasonOf(() => delegate.complete(answer, other, present())),
        'accepted',
        `carry ${JSON.stringify(carry)}`,
      );
    }
  });

  t.test('where the protocol can end a session, it can do so with what the assertion keeps', async (t) => {
    const { delegate, signIn, signOut } = await open(t);
    const { logout } = delegate;
    if (!logout) return t.comment('this protocol cannot');
    const { departure, carried } = await leave(delegate);
    const { answer, browser } = await signIn(departure, 'ada@acme.example');
    const { session } = await delegate.complete(answer, { ...carried, browser }, present());
    for (const kept of session === undefined ? [undefined] : [session, undefined]) {
      const maker = stateMaker();
      const ending = await logout.begin({ ...maker, ...(kept !== undefined && { session: kept }) }, present());
      if (ending === undefined) continue;
      const { state, carry } = maker.made();
      t.equal(timesIn(ending, state), 1, 'leaves with its state, once');
      const carriedOut = carry === undefined ? {} : { carry };
      if (kept !== undefined && signOut !== undefined) {
        await logout.complete(await signOut(ending), carriedOut, present());
        t.pass('the environment says that its session ended');
      }
      await fc.assert(
        fc.asyncProperty(answers, async (garbage) => {
          await reasonOf(() => logout.complete(garbage, carriedOut, present()));
          await reasonOf(() => logout.receive?.(garbage, present()));
        }),
        { numRuns: 50 },
      );
    }
    for (const garbage of ['', '{}', 'null', '\u0000', '["a"]', 'x'.repeat(1_800)]) {
      await reasonOf(() => logout.begin({ ...stateMaker(), session: garbage }, present()));
    }
  });

  t.test('what it tells about the router is the same for everybody', async (t) => {
    const { describe } = (await open(t)).delegate;
    if (!describe) return t.comment('this protocol tells nothing');
    const { contentType, body } = describe();
    t.match(contentType, /^[a-z]+\/[a-z0-9.+-]+/);
    t.not(body, '');
    t.same(describe(), { contentType, body });
  });

  t.test('closed, it leaves nothing open', async (t) => {
    const before = active();
    const { delegate, signIn, close } = await openCounterpart(US);
    const { departure, carried } = await leave(delegate);
    const { answer, browser } = await signIn(departure, 'ada@acme.example');
    await delegate.complete(answer, { ...carried, browser }, present());
    delegate.close?.();
    await close();
    for (let turn = 0; turn < 2_000 && beyond(before).length > 0; turn++) await new Promise(setImmediate);
    t.same(beyond(before), []);
  });
}

/** What keeps the process alive: sockets, servers, timers. */
const active = (): string[] => process.getActiveResourcesInfo().filter((kind) => kind !== 'Immediate');

/** What is active now and was not before; what was may have ended since. */
function beyond(before: readonly string[]): string[] {
  const rest = [...before];
  return active().filter((kind) => {
    const at = rest.indexOf(kind);
    if (at !== -1) rest.splice(at, 1);
    return at === -1;
  });
}

type Left = { readonly departure: Departure; readonly state: string; readonly carried: CarriedLogin };

/** A login of a browser that no environment knows yet: it has to leave. */
async function leave(delegate: Delegate, more: { loginHint?: string } = {}): Promise<Left> {
  const maker = stateMaker();
  const nonce = randomBytes(16).toString('base64url');
  const login = { ...maker, nonce, browser: CLEAN, portalReturn: () => undefined, ...more };
  const departure = departureOf(await delegate.begin(login, present()));
  const { state, carry } = maker.made();
  return { departure, state, carried: { nonce, browser: CLEAN, ...(carry !== undefined && { carry }) } };
}

function departureOf(begun: Begun): Departure {
  if ('claims' in begun) throw new Error(`somebody is signed in already: ${(begun satisfies Assertion).environment}`);
  return begun;
}

/** Seals as the router does: about 500 characters, or ten where a protocol has no room; one of them, once. */
function stateMaker() {
  const made: { state: string; carry?: string }[] = [];
  const make = (bytes: number) => (carry?: string) => {
    if (carry !== undefined && carry.length > 256) throw new Error(`carries ${carry.length} characters`);
    const state =
      bytes === 0 ? randomBytes(5).toString('hex') : `0123456789.${randomBytes(bytes).toString('base64url')}`;
    made.push({ state, ...(carry !== undefined && { carry }) });
    return state;
  };
  return {
    state: make(370),
    shortState: make(0),
    made() {
      const [only, ...others] = made;
      if (!only || others.length > 0) throw new Error(`a state was made ${made.length} times`);
      return only;
    },
  };
}

/** How often a text stands in what the browser is sent with, however encoded. */
function timesIn(departure: Departure, text: string): number {
  let sent = 'url' in departure ? departure.url : [departure.action, ...Object.values(departure.fields)].join(' ');
  for (let level = 0; level < 3; level++) {
    sent = sent.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  return sent.split(text).length - 1;
}

/** Parameters of an address, as the router reads them. */
export const paramsOf = (url: string): Answer => new Map(new URL(url).searchParams);

/** Where a departure by redirect leads. */
export function urlOf(departure: Departure): URL {
  if ('url' in departure) return new URL(departure.url);
  throw new Error(`leaves by a form to ${departure.action}`);
}
