import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse as parseQuerystring } from 'node:querystring';
import fc from 'fast-check';
import t from 'tap';
import type { PortalName } from '../../src/core/names.ts';
import { type Reason, Refusal } from '../../src/core/reason.ts';
import { builtInPreset } from '../../src/portals/load.ts';
import { openPortal } from '../../src/portals/open-portal.ts';
import { readQuery } from '../../src/portals/query.ts';
import { judgeClosely, judgeReturnUrl, prepareAllow, preparePin } from '../../src/portals/redirect-uri.ts';
import { refusal } from './refusal.ts';

const BASE = 'https://graph.usepylon.com/callback/jwt';
const GOOD = `${BASE}?orgSlug=acme`;
const ALLOWED = [BASE, 'http://127.0.0.1:4000/cb', 'https://kb.example/'].flatMap((url) => prepareAllow(url) ?? []);
const RESERVED = new Set(['access_token', 'jwt']);
const PINS = [preparePin('orgSlug', 'acme')];

const judge = (text: string, pins = PINS) => judgeReturnUrl(text, ALLOWED, RESERVED, pins);
const reasonFor = (text: string, pins = PINS) => {
  const verdict = judge(text, pins);
  return verdict.ok ? 'accepted' : verdict.reason;
};

const preset = builtInPreset('pylon');
if (!preset) throw new Error('the preset is missing');
const portal = openPortal(preset, {
  portal: { name: 'support' as PortalName, title: 'Support', environments: new Set() },
  publicOrigin: 'https://login.acme.test',
  settings: { org_slug: 'acme' },
  allowRedirects: [],
  tokenLifetime: 60,
});

/** Where a Remote Login URL with this query sends the token in the end, if anywhere. */
function arriveAndLeave(query: string): string | undefined {
  let left: string | undefined;
  refusal(() => {
    const delivery = portal.deliver(portal.readRequest(readQuery(query)), 'TOKEN');
    left = delivery.mode === 'redirect' ? delivery.url : delivery.action;
  });
  return left;
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
};

/** The values that a reader finds who ignores case, decodes twice and also splits at `;`. */
const laxReader = (query: string): string[] =>
  query.split(/[&;]/).flatMap((pair) => {
    const [name = '', value = ''] = pair.split('=');
    const read = decoded(decoded(name.replaceAll('+', ' ')));
    return read
      .toLowerCase()
      .replace(/[[.].*$/, '')
      .trim() === 'access_token'
      ? [value]
      : [];
  });

const seesOnlyOurs = (url: string): boolean => {
  const { searchParams, search } = new URL(url);
  const read = parseQuerystring(search.slice(1)).access_token;
  return (
    JSON.stringify(searchParams.getAll('access_token')) === '["TOKEN"]' &&
    read === 'TOKEN' &&
    JSON.stringify(laxReader(search.slice(1))) === '["TOKEN"]'
  );
};

const corpus = readFileSync(new URL('./open-redirects.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('# '))
  .map((line) => line.replace(/\\u([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))));

/** Where a browser would be taken, as origin and path; `undefined` for what is no URL. */
const place = (url: string): string | undefined => {
  const parsed = URL.parse(url);
  return parsed ? `${parsed.origin}${parsed.pathname}` : undefined;
};

t.test('case 4: every open-redirect payload is refused', (t) => {
  t.ok(corpus.length >= 250, `${corpus.length} payloads`);
  t.same(
    corpus.filter((payload) => judge(payload).ok),
    [],
  );
  t.end();
});

t.test('case 4: raw, decoded, double-encoded and with another prefix, no payload leads off the list', (t) => {
  let accepted = 0;
  for (const payload of corpus) {
    const variants = [
      payload,
      decoded(payload),
      decoded(decoded(payload)),
      encodeURIComponent(payload.toWellFormed()),
      encodeURIComponent(encodeURIComponent(payload.toWellFormed())),
      encodeURI(payload.toWellFormed()),
      payload.trim(),
      payload.toUpperCase(),
      payload.normalize('NFKC'),
      `${GOOD}&next=${encodeURIComponent(payload.toWellFormed())}`,
    ];
    for (const variant of variants) {
      if (judge(variant).ok) {
        accepted++;
        if (place(variant) !== BASE) t.fail(`accepted: ${variant}`);
        if (!seesOnlyOurs(`${variant}&access_token=TOKEN`)) t.fail(`another token beside ours: ${variant}`);
      }
      for (const text of [variant, encodeURIComponent(variant.toWellFormed())]) {
        const url = arriveAndLeave(`redirect_uri=${text}`);
        if (url !== undefined && place(url) !== BASE) t.fail(`left for ${url}`);
      }
    }
  }
  t.ok(accepted > 0, `${accepted} variants are harmless links inside an allowed address`);
  t.end();
});

t.test('case 5: an address is refused for the reason that the operator needs', (t) => {
  const rows: readonly (readonly [string, string])[] = [
    ['https://a@b@graph.usepylon.com/callback/jwt?orgSlug=acme', 'redirect_uri_malformed'],
    ['https://portal%25@evil.example/', 'redirect_uri_malformed'],
    ['https://evil.example\\@graph.usepylon.com/callback/jwt', 'redirect_uri_malformed'],
    [`${GOOD}#x`, 'redirect_uri_malformed'],
    ['https://graph.usepylon.com/%2e%2e/callback/jwt?orgSlug=acme', 'redirect_uri_malformed'],
    [`${GOOD}&x=%zz`, 'redirect_uri_malformed'],
    [`${GOOD}&x=1&x=2`, 'redirect_uri_malformed'],
    [`${GOOD}&x=${'a'.repeat(2048)}`, 'redirect_uri_malformed'],
    ['', 'redirect_uri_malformed'],
    ['/callback/jwt?orgSlug=acme', 'redirect_uri_malformed'],
    ['javascript:alert(1)', 'redirect_uri_malformed'],
    ['http://graph.usepylon.com/callback/jwt?orgSlug=acme', 'redirect_uri_not_listed'],
    ['https://graph.usepylon.com:8443/callback/jwt?orgSlug=acme', 'redirect_uri_not_listed'],
    ['https://graph.usepylon.com/callback/..;/jwt?orgSlug=acme', 'redirect_uri_not_listed'],
    ['https://graph.usepylon.com/callback/x/../jwt?orgSlug=acme', 'redirect_uri_not_listed'],
    ['https://graph.usepylon.com/callback/jwt/?orgSlug=acme', 'redirect_uri_not_listed'],
    ['https://graph.usepylon.com.evil.example/callback/jwt', 'redirect_uri_not_listed'],
    ['http://127.0.0.1:4001/cb?orgSlug=acme', 'redirect_uri_not_listed'],
    ['https://127.0.0.1:4000/cb?orgSlug=acme', 'redirect_uri_not_listed'],
    [BASE, 'redirect_uri_wrong_tenant'],
    [`${BASE}?orgSlug=evil`, 'redirect_uri_wrong_tenant'],
    [`${GOOD}&orgSlug=acme`, 'redirect_uri_wrong_tenant'],
    [`${GOOD}&ORG%53LUG=evil`, 'redirect_uri_wrong_tenant'],
    [`${BASE}?orgSlug=acme;x=1`, 'redirect_uri_wrong_tenant'],
  ];
  for (const [text, reason] of rows) t.equal(reasonFor(text), reason, text.slice(0, 100));
  t.notMatch(judge('https://evil.example/?access_token=secret'), { detail: /secret/ }, 'the detail holds no query');
  t.end();
});

t.test('addresses that mean the allowed one are accepted, and :443 equals none', (t) => {
  const rows = [
    GOOD,
    'https://graph.usepylon.com:443/callback/jwt?orgSlug=acme',
    'HTTPS://Graph.UsePylon.com/callback/jwt?orgSlug=acme',
    `${BASE}?x=1&orgSlug=acme&`,
    `${BASE}?orgSlug=acm%65`,
    `${GOOD}&next=%2Fkb%2Farticles%2F12%3Fq%3Da%2Bb`,
    `${GOOD}&access_token_hint=1&jwt_kind=2&next=jwt&q=access_token`,
    'http://127.0.0.1:4000/cb?orgSlug=acme',
    'https://kb.example?orgSlug=acme',
    'https://kb.example/?orgSlug=acme',
  ];
  for (const text of rows) t.equal(reasonFor(text), 'accepted', text);
  const verdict = judge(`${GOOD}&q=a+b%26c&flag`);
  t.ok(verdict.ok);
  if (verdict.ok)
    t.same(
      [...verdict.params],
      [
        ['orgSlug', 'acme'],
        ['q', 'a b&c'],
        ['flag', ''],
      ],
    );
  t.end();
});

t.test('case 3: a token parameter that stands there already is refused in every disguise', (t) => {
  const disguises = (name: string): string[] => {
    const escaped = [...name].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('');
    const plain = [name, name.toUpperCase(), escaped, escaped.toUpperCase(), `+${name}`, `%20${name}`, `${name}%20`];
    const suffixed = ['', '[]', '[0]', '[a][b]', '.x', '%5B%5D', '%255b0%255D', '['].flatMap((suffix) =>
      plain.map((p) => p + suffix),
    );
    let layers = suffixed;
    for (let layer = 0; layer < 4; layer++) {
      layers = layers.map((text) => text.replaceAll('%', '%25'));
      suffixed.push(...layers);
    }
    return suffixed.filter((text) => !text.includes('#'));
  };
  for (const name of ['access_token', 'jwt']) {
    for (const spelling of disguises(name)) {
      for (const before of ['&', ';', '&x;', '&x=1%3B', '&x=1%26', '&x=1%2526', '&x?', '&;&']) {
        const text = `${GOOD}${before}${spelling}=evil`;
        if (text.length < 2048 && reasonFor(text) !== 'redirect_uri_reserved_parameter')
          t.fail(`${reasonFor(text)}: ${text}`);
      }
    }
  }
  t.equal(reasonFor(`${BASE}?access_token=evil&orgSlug=acme`), 'redirect_uri_reserved_parameter');
  t.equal(
    reasonFor(`${BASE}?jwt`),
    'redirect_uri_reserved_parameter',
    'even without a value, and before the tenant is looked at',
  );
  t.end();
});

t.test('case 6: redirect_uri twice, in either order, or as redirect_uri[], is refused with 400', (t) => {
  const good = encodeURIComponent(GOOD);
  const evil = encodeURIComponent('https://evil.example/');
  const rows: readonly (readonly [string, Reason])[] = [
    [`redirect_uri=${good}&redirect_uri=${evil}`, 'request_parameter_duplicated'],
    [`redirect_uri=${evil}&redirect_uri=${good}`, 'request_parameter_duplicated'],
    [`redirect_uri=${good}&redirect_uri=${good}`, 'request_parameter_duplicated'],
    [`redirect_uri=${good}&redirect_uri[]=${evil}`, 'request_parameter_duplicated'],
    [`redirect_uri=${good}&redirect%5Furi=${evil}`, 'request_parameter_duplicated'],
    [`redirect_uri=${good}&redirect%255Furi=${evil}`, 'request_parameter_duplicated'],
    [`redirect_uri=${good}&REDIRECT_URI=${evil}`, 'request_parameter_duplicated'],
    [`redirect_uri=${good}&redirect_uri%5B0%5D=${evil}`, 'request_parameter_duplicated'],
    [`redirect_uri[]=${good}`, 'request_malformed'],
    [`redirect_uri%5B%5D=${good}`, 'request_malformed'],
    [`redirect_uri[0]=${good}`, 'request_malformed'],
    [`Redirect_Uri=${good}`, 'request_malformed'],
    ['redirect_uri', 'redirect_uri_malformed'],
    ['redirect_uri=', 'redirect_uri_malformed'],
  ];
  for (const [query, reason] of rows) {
    t.equal(
      refusal(() => portal.readRequest(readQuery(query))),
      reason,
      query,
    );
    t.equal(
      refusal(() => portal.readEntry(readQuery(query))),
      reason,
      `/enter: ${query}`,
    );
    t.equal(new Refusal(reason).status, 400);
  }
  t.end();
});

t.test('an operator may list https addresses and http on loopback, in one spelling only', (t) => {
  const rows: readonly (readonly [string, boolean])[] = [
    ['https://kb.example/sso', true],
    ['https://kb.example', true],
    ['https://kb.example:8443/sso', true],
    ['http://localhost:3000/sso', true],
    ['http://[::1]:3000/sso', true],
    ['http://127.9.9.9/sso', true],
    ['http://kb.example/sso', false],
    ['http://127.0.0.1.evil.example/sso', false],
    ['https://u@kb.example/sso', false],
    ['https://kb.example/sso?x=1', false],
    ['https://kb.example/sso?', false],
    ['https://kb.example/sso#x', false],
    ['https://kb.example/a/../sso', false],
    ['https://kb.example/%73so', false],
    ['//kb.example/sso', false],
    ['https://*.kb.example/sso', false],
  ];
  for (const [text, listed] of rows) t.equal(prepareAllow(text) !== undefined, listed, text);
  t.end();
});

const hostilePiece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      GOOD,
      BASE,
      'https://',
      'graph.usepylon.com',
      '/callback/jwt',
      '?',
      '&',
      '=',
      'orgSlug=acme',
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'access_token',
      'jwt',
      'orgSlug',
      'evil',
      ';',
      '[]',
      '.x',
      '%',
      '%25',
      '%5f',
      '%26',
      '%3b',
      '+',
      'ACCESS',
      '_token=1',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '@',
      '\\',
      '/',
      '..',
      '#',
      ':',
      ':443',
      '\t',
      ' ',
      '%2e',
      '%00',
      '//',
      'http:',
      'evil.example',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
);
const addresses = fc.oneof(
  { weight: 2, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.webUrl({ withQueryParameters: true, withFragments: true }) },
  { weight: 5, arbitrary: fc.array(hostilePiece, { maxLength: 10 }).map((pieces) => pieces.join('')) },
  { weight: 5, arbitrary: fc.array(hostilePiece, { maxLength: 6 }).map((pieces) => `${GOOD}&${pieces.join('')}`) },
  {
    weight: 3,
    arbitrary: fc
      .array(fc.tuple(fc.string({ maxLength: 6 }), fc.string({ maxLength: 6 })), { maxLength: 4 })
      .map((pairs) => {
        const query = pairs.map(([name, value]) => `&${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
        return GOOD + query.join('');
      }),
  },
);

t.test('cases 3 to 5: whatever the text, an accepted one is the allowed place and holds our token alone', (t) => {
  let accepted = 0;
  fc.assert(
    fc.property(addresses, (text) => {
      if (!judge(text).ok) return;
      accepted++;
      const url = new URL(text);
      assert.equal(place(text), BASE);
      assert.equal(`${url.username}${url.password}${url.hash}`, '');
      assert.equal(url.searchParams.get('orgSlug'), 'acme');
      const delivered = arriveAndLeave(`redirect_uri=${encodeURIComponent(text)}`);
      // Bytes unchanged, the token appended to the text.
      assert.equal(delivered, `${text}&access_token=TOKEN`);
      assert.ok(seesOnlyOurs(delivered), delivered);
    }),
    { numRuns: 20_000 },
  );
  t.ok(accepted > 1_000, `${accepted} texts were accepted`);
  t.end();
});

t.test('the short way to a yes says yes only where the long one does', (t) => {
  const name = fc.constantFrom(
    'orgSlug',
    'OrgSlug',
    'state',
    'jwt',
    'JWT',
    'access_token',
    'a.b',
    'x_1',
    'a[]',
    '',
    'r-s',
  );
  const value = fc.constantFrom('acme', 'Acme', 'xyz', '', 'a.b-c~d', 'a%20b', 'a+b', 'a=b', 'ü');
  const odd = fc.tuple(name, value, fc.constantFrom('=', '', '==')).map(([key, to, equals]) => key + equals + to);
  const pair = fc.oneof(odd, fc.constantFrom('orgSlug=acme', 'state=xyz', 'env=eu', 'x_1=a.b'));
  const query = fc
    .array(pair, { maxLength: 4 })
    .map((pairs) => ['orgSlug=acme', ...pairs].slice(pairs.length % 2).join('&'));
  const start = fc.constantFrom(`${BASE}?`, `${BASE}?`, BASE, `${BASE}/?`, `${BASE}??`, 'https://kb.example/?');
  let accepted = 0;
  fc.assert(
    fc.property(start, query, (address, rest) => {
      const verdict = judge(address + rest);
      if (verdict.ok) accepted++;
      assert.deepStrictEqual(verdict, judgeClosely(address + rest, ALLOWED, RESERVED, PINS));
    }),
    { numRuns: 10_000 },
  );
  t.ok(accepted > 200, `${accepted} were accepted`);
  t.end();
});
