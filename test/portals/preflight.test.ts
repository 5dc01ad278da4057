import t from 'tap';
import type { Claims } from '../../src/core/environment.ts';
import { checkExpected } from '../../src/portals/check-expected.ts';
import { readQuery } from '../../src/portals/query.ts';
import { type Change, changed, open, person, presetOf, SETTINGS, set } from './invented.ts';
import { refusal, refusalDetail } from './refusal.ts';

const NOW = 1_780_000_000;

/** What an operator's own preset may say; what an environment says stands in the claims. */
const strict = (...more: Change[]) =>
  changed(
    set('config.issuer', { label: 'Issuer', pattern: '.*', default: '', example: 'app.acme.test' }),
    set('token.claims.iss', { template: '{config.login_origin}/', required: true }),
    set('token.claims.aud', { from: 'user.aud', default: 'portal' }),
    set('token.claims.iat', { from: 'time.iat', required: true }),
    set('token.claims.exp', { from: 'time.exp', required: true }),
    set('token.expects', { iss: '{config.issuer}', aud: 'portal' }),
    ...more,
  );

const claim = (name: string, rule: object) => set(`token.claims.${name}`, rule);
const time = (name: string) => claim(name, { from: `user.${name}`, type: 'number' });
const expecting = set('token.expects.iss', 'https://login.acme.test/');
const iss = (template: string) => claim('iss', { template });

const make = (claims: Claims, key = 'k', ...changes: Change[]) => {
  const portal = open(strict(...changes));
  const request = portal.readRequest(readQuery(`subdomain=acme&key=${encodeURIComponent(key)}`));
  return portal.makeClaims(person({ name: 'Ada', ...claims }), request, { now: NOW, id: 'i' });
};

t.test('a token that the portal would refuse is refused before it leaves, under the portal’s own name', (t) => {
  const rows: readonly (readonly [string, Claims, readonly Change[], string])[] = [
    ['all as it should be', {}, [], 'accepted'],
    ['a name of spaces', { name: '  ' }, [], 'jwt_missing_required_claim'],
    ['another audience', { aud: 'other' }, [], 'jwt_audience_mismatch'],
    ['an iss without its slash', {}, [iss('{config.login_origin}'), expecting], 'jwt_issuer_mismatch'],
    ['an id that is no text', { sub: 7 }, [claim('sub', { from: 'user.sub', type: 'number' })], 'jwt_claim_malformed'],
    [
      'a list of audiences',
      { aud: ['portal'] },
      [claim('aud', { from: 'user.aud', type: 'array' })],
      'jwt_claim_malformed',
    ],
    ['an exp in fractions', { exp: NOW + 0.5 }, [time('exp')], 'jwt_claim_malformed'],
    ['an exp in the past', { exp: NOW }, [time('exp')], 'jwt_expired'],
    ['an exp too far away', { exp: NOW + 121 }, [time('exp')], 'jwt_lifetime_too_long'],
    ['an exp as far as allowed', { exp: NOW + 120 }, [time('exp')], 'accepted'],
    ['an iat in the future', { iat: NOW + 1 }, [time('iat')], 'jwt_iat_in_future'],
    ['an iat of long ago', { iat: NOW - 121 }, [time('iat')], 'jwt_too_old'],
    ['an iat older than max_age', { iat: NOW - 61 }, [time('iat'), set('token.max_age', 60)], 'jwt_too_old'],
    ['an iat in milliseconds', {}, [claim('iat', { from: 'time.iat', unit: 'ms' })], 'accepted'],
  ];
  for (const [what, claims, changes, reason] of rows) {
    t.equal(
      refusal(() => make(claims, 'k', ...changes)),
      reason,
      what,
    );
  }
  t.end();
});

t.test('the key of the request is the key of the token, or it does not leave', (t) => {
  t.match(JSON.parse(make({}, 'k/1=')), { jti: 'k/1=' });
  const portal = open(strict());
  const started = portal.readRequest(readQuery('subdomain=acme&key=k'));
  const entry = { ...started, params: {} };
  const without = () => portal.makeClaims(person({ name: 'Ada' }), entry, { now: NOW, id: 'i' });
  t.equal(refusal(without), 'jwt_missing_required_claim');
  const narrowed = () => make({}, 'k', claim('jti', { from: 'request.key', enum: ['other'], required: true }));
  t.equal(refusal(narrowed), 'jwt_claim_malformed');
  const yielding = set('token.at_most_one', [['v', 'jti']]);
  const gaveWay = () => make({}, 'k', claim('jti', { from: 'request.key' }), yielding);
  t.equal(refusal(gaveWay), 'jwt_replayed', 'the key gave way to another claim');
  const optional = open(strict(claim('jti', { from: 'request.key' })));
  const lost = () => optional.makeClaims(person({ name: 'Ada' }), entry, { now: NOW, id: 'i' });
  t.equal(refusal(lost), 'jwt_replayed');
  t.equal(refusalDetail(lost), 'jti is not the key of this login');
  t.end();
});

t.test('an issuer that differs from the portal’s in every token is found when the routes are checked', (t) => {
  const preset = presetOf(strict());
  const rows: readonly (readonly [string | undefined, readonly string[]])[] = [
    [undefined, []],
    ['', []],
    ['https://login.acme.test', ['settings']],
    ['https://login.acme.test/', []],
    ['https://other.test/', ['settings']],
  ];
  for (const [issuer, places] of rows) {
    const settings = { subdomain: 'acme', ...(issuer !== undefined && { issuer }) };
    const problems = checkExpected(preset, settings, SETTINGS.publicOrigin);
    t.same(
      problems.map(({ path }) => path.join('.')),
      places,
      `issuer ${issuer}`,
    );
  }
  t.end();
});
