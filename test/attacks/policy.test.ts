/** What an environment may say about people: cases 1 and 2, end to end. */
import t from 'tap';
import type { Reason } from '../../src/core/reason.ts';
import { forge } from '../keys/tokens.ts';
import { alive, denied } from '../support/denied.ts';
import { comeBack, departure, ISSUER, LOGIN, portalToken, SECRETS } from '../support/world.ts';
import { openAttackWorld, searchForLeaks } from './attack-world.ts';

const world = await openAttackWorld(t);

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

t.test('case 1: a customer’s environment that validly signs somebody else’s people is refused', async (t) => {
  for (const email of [
    'victim@b.test',
    'ada@acme.test',
    'x@sub.globex.example',
    'x@evilglobex.example',
    'x@globex.example.b.test',
    'x@globex.exampl',
  ]) {
    await denied(t, world, email, 'email_domain_not_allowed', () =>
      comeBack(world, world.browser(), 'globex', { claims: { email } }),
    );
    await alive(t, world, 'globex');
  }
});

t.test('case 1: forcing the environment gives it no authority over other domains', async (t) => {
  const starts = [`${LOGIN}&env=globex`, `${LOGIN}&login_hint=kim@globex.example`, '/enter/globex/support'];
  for (const start of starts) {
    await denied(t, world, start, 'email_domain_not_allowed', () =>
      comeBack(world, world.browser(), 'globex', { claims: { email: 'victim@b.test' } }, start),
    );
  }
  await alive(t, world);
});

const MALFORMED: readonly (readonly [what: string, email: unknown])[] = [
  ['two @, ours last', 'x@b.test@globex.example'],
  ['two @, ours first', 'x@globex.example@b.test'],
  ['a quoted local part', '"x@globex.example"@b.test'],
  ['a quoted local part at ours', '"x@b.test"@globex.example'],
  ['a full-width @', 'victim＠b.test'],
  ['a full-width @ before ours', 'victim@b.test＠globex.example'],
  ['full-width letters that map to ours', 'victim@ｇlobex.example'],
  ['an ideographic full stop', 'victim@globex。example'],
  ['a list', ['kim@globex.example']],
  ['an object', { address: 'kim@globex.example' }],
  ['a number', 7],
  ['null', null],
  ['a line end', 'kim@globex.example\n'],
  ['a header line', 'kim@globex.example\r\nBcc: x@b.test'],
  ['a zero byte', 'victim@b.test\u0000@globex.example'],
  ['a trailing dot', 'kim@globex.example.'],
  ['a space', 'kim @globex.example'],
  ['spaces around', ' kim@globex.example '],
  ['a comment', 'kim(x@b.test)@globex.example'],
  ['angle brackets', '<victim@b.test> kim@globex.example'],
  ['a list in text', 'victim@b.test,kim@globex.example'],
  ['a route', '@b.test:kim@globex.example'],
  ['an address literal', 'kim@[127.0.0.1]'],
  ['an escape', 'victim%40b.test%2c@globex.example@'],
  ['no domain', 'kim@'],
  ['no local part', '@globex.example'],
  ['a right-to-left mark', 'kim\u202e@globex.example'],
  ['too long', `${'k'.repeat(250)}@globex.example`],
];

t.test('case 2: an email that two programs could read as two addresses is refused', async (t) => {
  for (const [what, email] of MALFORMED) {
    await denied(t, world, what, 'email_malformed', () =>
      comeBack(world, world.browser(), 'globex', { claims: { email } }),
    );
  }
  const others: readonly (readonly [string, Record<string, unknown>, Reason])[] = [
    ['no email', { email: undefined }, 'jwt_missing_required_claim'],
    ['an empty email', { email: '' }, 'jwt_missing_required_claim'],
    ['an email that is not verified', { email_verified: false }, 'email_not_verified'],
    ['an email whose verification is a word', { email_verified: 'no' }, 'email_not_verified'],
    ['an email whose verification is a list', { email_verified: [true] }, 'email_not_verified'],
  ];
  for (const [what, claims, reason] of others) {
    await denied(t, world, what, reason, () => comeBack(world, world.browser(), 'globex', { claims }));
  }
  await alive(t, world, 'globex');
});

t.test('case 2: two emails in one token are refused, whichever a reader would take', async (t) => {
  for (const emails of [
    '"email":"kim@globex.example","email":"victim@b.test"',
    '"email":"victim@b.test","email":"kim@globex.example"',
    '"email":"kim@globex.example","\\u0065mail":"victim@b.test"',
  ]) {
    const browser = world.browser();
    const { redirectUri, nonce } = departure(await browser.get(`${LOGIN}&env=globex`));
    const { now } = world;
    const payload = `{"iss":"globex","aud":"${ISSUER}","iat":${now},"exp":${now + 60},"jti":"${nonce}","nonce":"${nonce}",${emails}}`;
    const token = forge({ alg: 'HS256' }, payload, SECRETS.GLOBEX_SECRET);
    await denied(t, world, emails, 'jwt_malformed', () => browser.get(`${redirectUri}&access_token=${token}`));
  }
});

t.test('case 2: the email that is sent on is the one canonical form that was checked', async (t) => {
  const forms = [
    ['Kim@GLOBEX.Example', 'kim@globex.example'],
    ['kim+tag@globex.example', 'kim+tag@globex.example'],
    ["o'hara@globex.example", "o'hara@globex.example"],
  ];
  for (const [email, canonical] of forms) {
    const seen = await comeBack(world, world.browser(), 'globex', { claims: { email } });
    t.equal(claimsOf(portalToken(seen)).email, canonical);
  }
});

t.test('what an environment sends beside the email does not leave with it, unless it may', async (t) => {
  const claims = {
    account_id: 'somebody-elses',
    account_external_id: 'somebody-elses',
    role: 'admin',
    admin: true,
    sub: 'victim@b.test',
    iss: 'globex',
    __proto__x: 1,
  };
  const claimsSent = claimsOf(portalToken(await comeBack(world, world.browser(), 'globex', { claims })));
  t.equal(claimsSent.account_external_id, 'globex', 'what the operator set wins');
  t.strictSame(Object.keys(claimsSent), ['iss', 'aud', 'iat', 'exp', 'jti', 'email', 'account_external_id']);
});

searchForLeaks(t);
