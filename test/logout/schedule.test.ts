import fc from 'fast-check';
import t from 'tap';
import { type Attempt, GIVE_UP_AFTER, judge, pauseAfter } from '../../src/logout/schedule.ts';

const now = 1_800_000_000;
const notice = { attempts: 0, giveUpAt: now + GIVE_UP_AFTER };

t.test('what an answer means: taken, tried again, or a dead letter', (t) => {
  const rows: [attempt: Attempt, to: string, receipt: string][] = [
    [{ status: 200 }, 'delivered', 'answered 200'],
    [{ status: 204 }, 'delivered', 'answered 204'],
    [{ status: 202 }, 'delivered', 'answered 202'],
    [{ status: 400 }, 'dead', 'answered 400'],
    [{ status: 401 }, 'dead', 'answered 401'],
    [{ status: 404 }, 'dead', 'answered 404'],
    [{ status: 410 }, 'dead', 'answered 410'],
    [{ status: 422, retryAfter: '5' }, 'dead', 'answered 422, Retry-After: 5'],
    [{ status: 408 }, 'waiting', 'answered 408'],
    [{ status: 425 }, 'waiting', 'answered 425'],
    [{ status: 429, retryAfter: '120' }, 'waiting', 'answered 429, Retry-After: 120'],
    [{ status: 500 }, 'waiting', 'answered 500'],
    [{ status: 503 }, 'waiting', 'answered 503'],
    [{ status: 599 }, 'waiting', 'answered 599'],
    [{ fault: 'redirect: id.acme.test' }, 'waiting', 'redirect: id.acme.test'],
    [{ fault: 'tls: id.acme.test' }, 'waiting', 'tls: id.acme.test'],
    [{ fault: 'x'.repeat(1_000) }, 'waiting', 'x'.repeat(200)],
    [{ status: 503, retryAfter: 'eyJ\u001b[31m<b>' }, 'waiting', 'answered 503'],
  ];
  for (const [attempt, to, receipt] of rows) {
    const outcome = judge(attempt, notice, now, 0);
    t.match(outcome, { to, receipt }, JSON.stringify(attempt).slice(0, 80));
  }
  t.end();
});

t.test('pauses double from six seconds to an hour, each a third shorter by chance', (t) => {
  const longest = Array.from({ length: 14 }, (_, attempts) => pauseAfter(attempts, 0));
  t.same(longest, [6, 12, 24, 48, 96, 192, 384, 768, 1_536, 3_072, 3_600, 3_600, 3_600, 3_600]);
  t.equal(pauseAfter(0, 0.999_999), 5);
  t.equal(pauseAfter(10_000, 0.5), 3_000);
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 0.999_999, noNaN: true }), (attempts, random) => {
      const pause = pauseAfter(attempts, random);
      return Number.isInteger(pause) && pause >= 4 && pause <= 3_600;
    }),
  );
  t.end();
});

t.test('Retry-After is kept to, up to an hour, and never makes us come sooner than we would', (t) => {
  const at = (text: string, attempts = 0) => {
    const outcome = judge({ status: 429, retryAfter: text }, { ...notice, attempts }, now, 0);
    return outcome.to === 'waiting' ? outcome.due - now : outcome.to;
  };
  t.equal(at('120'), 120);
  t.equal(at('3600'), 3_600);
  t.equal(at('86400'), 3_600, 'capped');
  t.equal(at('999999999'), 3_600, 'capped');
  t.equal(at('0'), 6, 'not at once');
  t.equal(at('2', 5), 192, 'nor sooner than the pause that is due');
  t.equal(at(new Date((now + 300) * 1_000).toUTCString()), 300, 'a date');
  t.equal(at(new Date((now - 300) * 1_000).toUTCString()), 6, 'a date that has passed');
  for (const text of ['', '-5', '1e9', '5.5', 'soon', 'Tue, soon GMT', '99999999999999999999', '0x10'])
    t.equal(at(text), 6, JSON.stringify(text));
  t.end();
});

t.test('it is tried for 72 hours, for a last time at their very end, and given up then', (t) => {
  t.equal(GIVE_UP_AFTER, 72 * 3_600);
  for (const random of [0, 0.5, 0.999]) {
    let at = now;
    let attempts = 0;
    let outcome = judge({ status: 503 }, { ...notice, attempts }, at, random);
    while (outcome.to === 'waiting') {
      t.ok(outcome.due > at && outcome.due - at <= 3_600);
      at = outcome.due;
      attempts += 1;
      outcome = judge({ status: 503 }, { ...notice, attempts }, at, random);
    }
    t.equal(at - now, 72 * 3_600);
    t.same(outcome, { to: 'dead', receipt: 'given up; at last answered 503' });
    t.ok(attempts > 72 && attempts < 130, `${attempts} attempts`);
  }
  t.end();
});
