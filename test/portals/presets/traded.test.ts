/** `traded` in a preset: what differs in a token that an environment trades for. */
import t from 'tap';
import type { PortalRequest } from '../../../src/core/portal.ts';
import { parsePreset } from '../../../src/portals/load.ts';
import { changed, open, person, SETTINGS, set, type Tree } from '../invented.ts';
import { refusal } from '../refusal.ts';

const FRESH: Tree = { claims: { jti: { from: 'random.uuid', required: true } }, replay: 'jti' };
const TRADE: PortalRequest = { portal: SETTINGS.portal.name, initiated: 'platform', params: {} };
const MINTED = { now: 100, id: 'fresh' };

t.test('its claims stand in place of a login’s, in their place, and everything else stays', (t) => {
  const portal = open(
    changed(set('traded', { ...FRESH, claims: { ...(FRESH.claims as Tree), via: { const: 'trade' } } })),
  );
  const identity = person({ name: 'Ada', role: 'editor' });
  t.equal(
    portal.makeTradedClaims?.(identity, TRADE, MINTED),
    '{"jti":"fresh","iat":100000,"email":"ada@acme.test","name":"Ada","role":"editor","site":"acme/","v":3,"via":"trade"}',
  );
  t.equal(
    refusal(() => portal.makeClaims(identity, TRADE, MINTED)),
    'jwt_missing_required_claim',
    'a login is still tied to its key',
  );
  t.end();
});

t.test('without it, a token that is tied to a request cannot be traded for; every other can', (t) => {
  const identity = person({ name: 'Ada' });
  t.equal(
    refusal(() => open(changed()).makeTradedClaims?.(identity, TRADE, MINTED)),
    'jwt_missing_required_claim',
  );
  const loose = changed(set('token.claims.jti', { from: 'random.uuid' }), set('token.replay', 'jti'));
  t.match(open(loose).makeTradedClaims?.(identity, TRADE, MINTED), '"jti":"fresh"');
  t.end();
});

t.test('what does not fit is refused at its place', (t) => {
  const jti = { from: 'random.uuid' };
  const rows: readonly (readonly [string, unknown, string])[] = [
    ['no replay', { claims: { jti } }, 'traded.replay'],
    ['a request key', { claims: { jti }, replay: 'request_key' }, 'traded.replay'],
    ['no jti of its own', { claims: {}, replay: 'jti' }, 'traded.replay'],
    ['still from the request', { claims: {}, replay: 'none' }, 'traded.claims'],
    [
      'again from the request',
      { claims: { jti: { from: 'request.key', required: true } }, replay: 'none' },
      'traded.claims.jti',
    ],
    ['about the person', { claims: { jti, role: { from: 'user.role' } }, replay: 'jti' }, 'traded.claims.role.from'],
    [
      'a source that there is not',
      { claims: { jti, x: { from: 'config.nothing' } }, replay: 'jti' },
      'traded.claims.x.from',
    ],
    ['two sources', { claims: { jti, x: { const: 1, from: 'time.iat' } }, replay: 'jti' }, 'traded.claims.x'],
    ['an object', { claims: { jti, u: { claims: {} } }, replay: 'jti' }, 'traded.claims.u.claims'],
    ['another email', { claims: { jti, email: { const: 'a@b.test' } }, replay: 'jti' }, 'traded.claims.email'],
    ['a word too many', { ...FRESH, lifetime: 60 }, 'traded.lifetime'],
  ];
  t.ok(parsePreset(changed(set('traded', FRESH))).ok);
  for (const [what, traded, place] of rows) {
    const outcome = parsePreset(changed(set('traded', traded)));
    const places = outcome.ok ? [] : outcome.problems.map((problem) => problem.path.join('.'));
    t.ok(places.includes(place), `${what}: ${places.join(' ') || 'accepted'}`);
  }
  t.end();
});

t.test('an identifier that needs a grant gives way to the email, which nobody else has', (t) => {
  const id = { from: 'user.id', privileged: true, otherwise: 'user.email', required: true };
  const made = (...args: Parameters<typeof person>) =>
    JSON.parse(
      open(changed(set('token.claims.id', id))).makeClaims(
        person({ name: 'Ada', ...args[0] }, ...(args.slice(1) as string[])),
        { ...TRADE, params: { key: 'k', subdomain: 'acme' } },
        MINTED,
      ),
    ).id;
  t.equal(made({ id: '7' }), 'ada@acme.test');
  t.equal(made({ id: 'victim@globex.example' }), 'ada@acme.test', 'an id that is somebody’s email');
  t.equal(made({ id: '7' }, 'id'), '7');
  t.equal(made({}, 'id'), 'ada@acme.test');
  for (const [claim, place] of [
    [{ ...id, otherwise: 'user.name' }, 'token.claims.id.otherwise'],
    [{ ...id, default: 'x' }, 'token.claims.id.otherwise'],
    [{ from: 'config.subdomain', otherwise: 'user.email' }, 'token.claims.id.otherwise'],
  ] as const) {
    const outcome = parsePreset(changed(set('token.claims.id', claim)));
    t.match(outcome.ok ? [] : outcome.problems.map(({ path }) => path.join('.')), [place]);
  }
  t.end();
});

t.test('a default may be made of settings that are always there', (t) => {
  const site = (more: Tree) => ({ label: 'Site', kind: 'url', example: 'https://x.test', ...more });
  const fits = (rule: Tree) => {
    const outcome = parsePreset(changed(set('config.site', rule)));
    return outcome.ok ? [] : outcome.problems.map(({ path }) => path.join('.'));
  };
  t.same(fits(site({ default: 'https://{config.subdomain}.portal.test' })), []);
  for (const rule of [
    site({ default: 'https://{config.nothing}.portal.test' }),
    site({ default: 'https://{config.site}.portal.test' }),
    site({ default: 'https://{request.key}.portal.test' }),
    site({ default: 'http://{config.subdomain}.portal.test' }),
    site({ default: 'https://{config.subdomain' }),
  ])
    t.match(fits(rule), ['config.site.default'], JSON.stringify(rule));
  t.end();
});
