/**
 * The golden tokens of products whose verifying code or rules are public, judged by verifiers that were written from
 * their documents, in other languages where one is at hand; changed tokens are refused by all of them.
 */
import { execFile } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import t from 'tap';
import {
  type GoldenCase,
  type Left,
  leave,
  NOW,
  openGolden,
  SECRET,
  type Stage,
} from '../../portals/presets/golden.ts';
import { counterparts, PHP, PYTHON, RUBY, without } from '../../support/counterparts.ts';
import { feedbase } from './feedbase.ts';

type Attempt = { readonly url: string; readonly form?: Readonly<Record<string, string>>; readonly method?: string };
type Verdict = { readonly yes?: unknown; readonly no?: string };

function stageOf(id: string): Stage {
  const stage = openGolden(id);
  if (!stage) throw new Error(`${id} has no golden cases`);
  return stage;
}

function caseOf({ golden }: Stage, what: string): GoldenCase {
  const found = golden.cases.find((one) => one.what === what);
  if (!found) throw new Error(`no golden case: ${what}`);
  return found;
}

const attemptOf = ({ delivery }: Left): Attempt =>
  delivery.mode === 'redirect' ? { url: delivery.url } : { url: delivery.action, form: delivery.fields };

const golden = async (stage: Stage, what: string): Promise<Left> => leave(stage, caseOf(stage, what));

/** The same delivery with another token in it. */
const withToken = (left: Left, token: string): Attempt => {
  const { url, form } = attemptOf(left);
  const swap = (text: string) => text.replaceAll(left.token, token);
  return {
    url: swap(url),
    ...(form && { form: Object.fromEntries(Object.entries(form).map(([n, v]) => [n, swap(v)])) }),
  };
};

/** Ways to change a JWT so that its signature does not fit any more. */
function tampered(token: string): string[] {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const other = (text: string) => (text[0] === 'e' ? 'f' : 'e') + text.slice(1);
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  return [
    `${header}.${other(payload)}.${signature}`,
    `${header}.${encode({ ...claims, email: 'victim@acme.test', customer_id: 1, sub: 'victim' })}.${signature}`,
    `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
    `${encode({ alg: 'none', typ: 'JWT', kid: '1234567890' })}.${payload}.`,
    `${header}.${payload}`,
  ];
}

function judge(program: string, script: string, asked: object): Promise<Verdict[]> {
  return new Promise((resolve, reject) => {
    const path = new URL(script, import.meta.url).pathname;
    const child = execFile(program, [path], { timeout: 60_000 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${script}: ${stderr}`)) : resolve(JSON.parse(stdout)),
    );
    child.stdin?.end(JSON.stringify(asked));
  });
}

t.test('DiscourseConnect, in Ruby', { skip: without(counterparts.rubyJwt) }, async (t) => {
  const stage = stageOf('discourse');
  const first = await golden(stage, 'a login, its payload signed');
  const second = await golden(stage, 'with a grant, the id, the groups and the rights go along');
  const { url } = attemptOf(first);
  const asked = {
    secret: SECRET,
    forum: stage.golden.settings.forum,
    nonces: ['cb68251eefb5211e58c00ff1395f0c0b', 'n1'],
    attempts: [
      { url: url.replace('sso=', 'sso=AAAA') },
      { url: url.replace(/.$/, (last) => (last === '0' ? '1' : '0')) },
      { url: url.replace(/sso=[^&]+/, attemptOf(second).url.match(/sso=[^&]+/)?.[0] ?? '') },
      { url: url.replace('forum.acme.test', 'forum.evil.test') },
      { url },
      { url },
      attemptOf(second),
    ],
  };
  const person = { email: 'ada@acme.test', external_id: 'ada@acme.test', username: 'ada', name: 'Ada Fields' };
  t.strictSame(await judge(RUBY, 'discourse_connect.rb', asked), [
    { no: 'bad signature' },
    { no: 'bad signature' },
    { no: 'bad signature' },
    { no: 'not the forum' },
    { yes: { ...person, require_activation: 'true' } },
    { no: 'nonce not open' },
    {
      yes: {
        email: 'ada@acme.test',
        external_id: '7',
        groups: 'a,b',
        admin: 'true',
        moderator: 'false',
        require_activation: 'true',
      },
    },
  ]);
  const [otherSecret] = await judge(RUBY, 'discourse_connect.rb', {
    ...asked,
    secret: 'x'.repeat(64),
    attempts: [{ url }],
  });
  t.match(otherSecret, { no: 'bad signature' });
});

t.test('jsConnect 3, in PHP', { skip: without(counterparts.php) }, async (t) => {
  const stage = stageOf('jsconnect3');
  const person = await golden(stage, 'a person, with the state as it came');
  const guest = await golden(stage, 'nobody is a signed empty user');
  const asked = { secret: SECRET, client_id: '1234567890', now: NOW };
  const state = { n: 'MXet9yoFxkVvzUCpzICj', t: '/discussions' };
  const attempts = [attemptOf(person), ...tampered(person.token).map((token) => withToken(person, token))];
  const [yes, ...refused] = await judge(PHP, 'js_connect.php', { ...asked, state, attempts });
  const user = { id: 'ada@acme.test', email: 'ada@acme.test', name: 'ada', photo: 'https://us.acme.test/7.png' };
  t.strictSame(yes, { yes: user });
  t.same(
    refused.map(({ no }) => no),
    ['signature', 'signature', 'signature', 'alg', 'no token'],
  );
  for (const [change, verdict] of [
    [{ state: { n: 'x' } }, { yes: 'a guest' }],
    [{ state: { n: 'another' } }, { no: 'st' }],
    [{ state: { n: 'x' }, now: NOW + 61 }, { no: 'times' }],
    [{ state: { n: 'x' }, client_id: 'other' }, { no: 'kid' }],
    [{ state: { n: 'x' }, secret: 'x'.repeat(64) }, { no: 'signature' }],
  ] as const)
    t.strictSame(await judge(PHP, 'js_connect.php', { ...asked, attempts: [attemptOf(guest)], ...change }), [verdict]);
});

t.test('Metabase, in Python', { skip: without(counterparts.pyjwt) }, async (t) => {
  const stage = stageOf('metabase');
  const page = await golden(stage, 'return_to as Metabase writes it, not encoded');
  const groups = await golden(stage, 'with a grant, groups');
  const asked = { secret: SECRET, site: stage.golden.settings.site, now: NOW };
  const attempts = [
    attemptOf(page),
    attemptOf(groups),
    { ...attemptOf(page), method: 'POST' },
    ...tampered(page.token).map((token) => withToken(page, token)),
  ];
  const [first, second, posted, ...refused] = await judge(PYTHON, 'metabase.py', { ...asked, attempts });
  t.strictSame(first, {
    yes: { email: 'ada@acme.test', names: ['Ada', 'Fields'], groups: [], page: '/question/1-superb?a=1&b=2' },
  });
  t.match(second, { yes: { groups: ['Sales', 'Finance'], page: '/' } });
  t.match(posted, { no: 'POST not valid for JWT SSO requests' });
  for (const verdict of refused) t.match(verdict.no, /Error$/);
  t.equal(refused.length, 5);
  const later = { ...asked, attempts: [attemptOf(page)] };
  t.match(await judge(PYTHON, 'metabase.py', { ...later, now: NOW + 59 }), [{ yes: {} }]);
  t.match(await judge(PYTHON, 'metabase.py', { ...later, now: NOW + 60 }), [{ no: 'token is expired' }]);
  t.match(await judge(PYTHON, 'metabase.py', { ...later, now: NOW + 181 }), [{ no: 'token is older than max-age' }]);
});

t.test('Feedbase, with jsonwebtoken', async (t) => {
  const left = await golden(stageOf('feedbase'), 'a login');
  const { url } = attemptOf(left);
  t.strictSame(feedbase(url, SECRET, NOW), { status: 302, said: 'https://acme.feedbase.app/feedback' });
  for (const token of tampered(left.token))
    t.match(feedbase(withToken(left, token).url, SECRET, NOW), { status: 500, said: /signature|malformed|token/ });
  t.match(feedbase(url, 'x'.repeat(64), NOW), { status: 500, said: 'invalid signature' });
  t.match(feedbase(url, SECRET, NOW + 60), { status: 500, said: 'jwt expired' });
  t.match(feedbase(url.replace('redirect_to', 'redirect'), SECRET, NOW), { status: 400 });
});

t.test('BigCommerce, with ruby-jwt', { skip: without(counterparts.rubyJwt) }, async (t) => {
  const stage = stageOf('bigcommerce');
  const left = await golden(stage, 'the token at the end of the path, the page in it');
  const { client_id, store_hash } = stage.golden.settings;
  const asked = { secret: SECRET, client_id, store_hash, now: NOW };
  const attempts = [...tampered(left.token).map((token) => withToken(left, token)), attemptOf(left), attemptOf(left)];
  const verdicts = await judge(RUBY, 'bigcommerce.rb', { ...asked, attempts });
  for (const verdict of verdicts.slice(0, 5)) t.match(verdict.no, /^JWT::/);
  t.strictSame(verdicts.slice(5), [
    { yes: { customer: 2, page: '/account.php?action=order_status' } },
    { no: 'jti used' },
  ]);
  for (const [change, no] of [
    [{ client_id: 'another' }, 'iss'],
    [{ store_hash: 'another' }, 'store_hash'],
    [{ now: NOW + 31 }, 'iat'],
    [{ now: NOW - 1 }, 'iat'],
    [{ secret: 'x'.repeat(64) }, 'JWT::VerificationError'],
  ] as const)
    t.strictSame(await judge(RUBY, 'bigcommerce.rb', { ...asked, attempts: [attemptOf(left)], ...change }), [{ no }]);
});

t.test('Zendesk, in PHP, by form', { skip: without(counterparts.php) }, async (t) => {
  const stage = stageOf('zendesk');
  const plain = await golden(stage, 'what Zendesk sent stays in the query of the action, and the token is posted');
  const agent = await golden(stage, 'with it, tags are one text');
  const asked = { secret: SECRET, host: 'acme.zendesk.com', now: NOW };
  const { url, form } = attemptOf(plain);
  const attempts = [
    ...tampered(plain.token).map((token) => withToken(plain, token)),
    { url: `${url}&jwt=${form?.jwt}`, form },
    { url },
    attemptOf(plain),
    attemptOf(agent),
  ];
  const verdicts = await judge(PHP, 'zendesk.php', { ...asked, attempts });
  t.same(
    verdicts.slice(0, 7).map(({ no }) => no),
    [
      'signature invalid',
      'signature invalid',
      'signature invalid',
      'signature invalid',
      'no token',
      'a token in the address',
      'no token',
    ],
  );
  const page = 'https://acme.zendesk.com/hc/ja/articles/1-%E3%81%82?x=1';
  t.strictSame(
    verdicts.slice(7),
    [{ yes: { email: 'ada@acme.test', role: 'user', tags: [], page } }, { no: 'jti used' }],
    'the id is the same in every golden case',
  );
  const [tags, late, other] = await Promise.all([
    judge(PHP, 'zendesk.php', { ...asked, attempts: [attemptOf(agent)] }),
    judge(PHP, 'zendesk.php', { ...asked, now: NOW + 181, attempts: [attemptOf(agent)] }),
    judge(PHP, 'zendesk.php', { ...asked, secret: 'x'.repeat(64), attempts: [attemptOf(agent)] }),
  ]);
  t.match(tags, [{ yes: { role: 'agent', tags: ['vip', 'beta'] } }]);
  t.strictSame([late, other], [[{ no: 'iat' }], [{ no: 'signature invalid' }]]);
});

t.test('portals that hold a public key, with PyJWT', { skip: without(counterparts.pyjwt) }, async (t) => {
  for (const [id, what, asked] of [
    [
      'freshworks',
      'the id_token in the query, state as it came',
      {
        where: 'query:id_token',
        algorithm: 'RS256',
        required: ['sub', 'email', 'nonce', 'iat'],
        expect: { nonce: '123422' },
      },
    ],
    [
      'mintlify',
      'a bare fragment behind the page',
      {
        where: 'fragment',
        algorithm: 'EdDSA',
        required: ['host', 'exp', 'expiresAt'],
        expect: { host: 'docs.acme.test' },
      },
    ],
    [
      'jitterbit',
      'a login',
      {
        where: 'query:jwt',
        algorithm: 'RS256',
        required: ['iss', 'sub', 'aud', 'exp', 'nbf'],
        expect: { iss: 'https://login.acme.test/', aud: 'https://apps.acme.test/Vinyl' },
      },
    ],
  ] as const) {
    const stage = stageOf(id);
    const left = await golden(stage, what);
    if ('secret' in stage.key) throw new Error(`${id} signs with a secret`);
    const key = createPublicKey(stage.key.privateKeyPem).export({ type: 'spki', format: 'pem' });
    const attempts = [attemptOf(left), ...tampered(left.token).map((token) => withToken(left, token))];
    const [yes, ...refused] = await judge(PYTHON, 'public_keys.py', { ...asked, key, now: NOW, attempts });
    t.strictSame(yes, { yes: JSON.parse(left.payload) }, id);
    for (const verdict of refused) t.match(verdict.no, /Error$/, id);
    const late = { ...asked, key, now: NOW + 61, attempts: [attemptOf(left)] };
    t.strictSame(await judge(PYTHON, 'public_keys.py', late), [{ no: 'times' }], id);
  }
});
