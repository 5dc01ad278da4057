import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { readQuery } from '../../src/portals/query.ts';
import { judgeReturnUrl, prepareAllow, prepareAllowBelow } from '../../src/portals/redirect-uri.ts';
import { appendPath, relativeFault } from '../../src/portals/relative-url.ts';
import { type Change, changed, open, set } from './invented.ts';
import { refusal } from './refusal.ts';

/** [text, accepted as a relative reference, accepted as a path] */
const ROWS: readonly (readonly [string, boolean, boolean])[] = [
  ['/', true, true],
  ['/a', true, true],
  ['/a/', true, true],
  ['/docs/getting-started.html', true, true],
  ['/über/日本', true, true],
  ['/a%20b', true, true],
  ['/a%2Fb', true, true],
  ['/a:b@c/;v=1', true, true],
  ['/a?next=https://evil.test/&x=//evil.test', true, false],
  ['/a?q=1&q=2', true, false],
  ['/a#part', true, false],
  ['/?100%', true, false],
  ['guide/intro', false, true],
  ['a/b:c', false, true],
  ['', false, true],
  ['https://evil.test/', false, false],
  ['javascript:alert(1)', false, false],
  ['https:evil.test', false, false],
  ['//evil.test', false, false],
  ['///evil.test', false, false],
  ['/\\evil.test', false, false],
  ['\\\\evil.test', false, false],
  ['/a//evil.test', false, false],
  ['/%2Fevil.test', false, false],
  ['/%252Fevil.test', false, false],
  ['/%25252525252525252Fevil.test', false, false],
  ['%2F/evil.test', false, false],
  ['%2F%2Fevil.test', false, false],
  ['/%5Cevil.test', false, false],
  ['/%255Cevil.test', false, false],
  ['/／evil.test', false, false],
  ['/%EF%BC%8Fevil.test', false, false],
  ['/＼evil.test', false, false],
  ['/./x', false, false],
  ['/../x', false, false],
  ['/a/..', false, false],
  ['/a/%2e%2e/x', false, false],
  ['/a/%252e./x', false, false],
  ['/a/..;/x', false, false],
  ['/a/．．/x', false, false],
  ['..', false, false],
  ['/\t/evil.test', false, false],
  ['/%09/evil.test', false, false],
  ['/a%0d%0aSet-Cookie:x', false, false],
  ['/a?x=%0d%0a', false, false],
  ['/a b', false, false],
  ['/a\u202eb', false, false],
  ['/a\ud800', false, false],
  ['/100%', false, false],
  ['/%zz', false, false],
];

t.test('only a path of the same site passes, however it is written', (t) => {
  for (const [text, relative, path] of ROWS) {
    t.equal(relativeFault(text, 'relative') === undefined, relative, `relative ${JSON.stringify(text)}`);
    t.equal(relativeFault(text, 'path') === undefined, path, `path ${JSON.stringify(text)}`);
  }
  t.end();
});

const BASES = ['https://portal.test', 'https://portal.test/product', 'https://portal.test/a/b/'];
/** Texts that are built of what open redirects are built of. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom('/', '\\', '.', '..', '%2f', '%2F', '%5c', '%2e', '%25', '%09', '\t', '\n', '@', ':', ';'),
      fc.constantFrom('evil.test', 'https:', 'a', '?', '#', '／', '．', '＼', '‥', ' ', '%', '%E3%80%82'),
      fc.string({ maxLength: 3, unit: 'grapheme' }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

t.test('whatever is accepted stays on the portal’s host, and a path below the site’s own', (t) => {
  let accepted = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        hostile,
        hostile.map((text) => `/${text}`),
      ),
      fc.constantFrom(...BASES),
      (text, base) => {
        for (const layers of [text, lenient(text), lenient(lenient(text))]) {
          if (relativeFault(text, 'relative') === undefined) {
            assert.equal(new URL(layers, base).origin, 'https://portal.test', text);
            accepted++;
          }
        }
        if (relativeFault(text, 'path') === undefined) {
          const url = new URL(appendPath(base, text));
          assert.equal(url.origin, 'https://portal.test', text);
          assert.ok(url.pathname.startsWith(`${new URL(base).pathname.replace(/\/$/, '')}/`), `${text} ${url.href}`);
          assert.equal(url.search + url.hash, '');
        }
      },
    ),
    { numRuns: 3_000 },
  );
  t.ok(accepted > 100, `${accepted} were accepted`);
  t.end();
});

function lenient(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

t.test('a path is put behind the site’s, with one slash and its escapes as they were', (t) => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['https://x.test', '/a', 'https://x.test/a'],
    ['https://x.test/', '/a', 'https://x.test/a'],
    ['https://x.test/p', 'a/b', 'https://x.test/p/a/b'],
    ['https://x.test/p/', '/a%20b/ü', 'https://x.test/p/a%20b/%C3%BC'],
    ['https://x.test/p', '/', 'https://x.test/p/'],
  ];
  for (const [url, path, joined] of rows) t.equal(appendPath(url, path), joined);
  t.end();
});

const withLocation: readonly Change[] = [
  set('authn_request.params.state', { role: 'return_to', url: { kind: 'path' } }),
  set('authn_response.target', { url: 'https://{config.subdomain}.portal.test/product', append_path: 'state' }),
  set('authn_response.params', undefined),
];

t.test('append_path: the token is sent to the page that the portal asked for, and nowhere else', (t) => {
  const portal = open(changed(...withLocation));
  const sent = (location: string) => {
    const request = portal.readRequest(readQuery(`subdomain=acme&key=k${location}`));
    const delivery = portal.deliver(request, 'T');
    return delivery.mode === 'redirect' ? delivery.url : '';
  };
  t.equal(sent('&state=/guide/intro'), 'https://acme.portal.test/product/guide/intro?jwt=T');
  t.equal(sent('&state=guide'), 'https://acme.portal.test/product/guide?jwt=T');
  t.equal(sent('&state='), 'https://acme.portal.test/product?jwt=T');
  t.equal(sent(''), 'https://acme.portal.test/product?jwt=T');
  for (const state of [
    '//evil.test',
    '/../other',
    'https:%2F%2Fevil.test',
    '/a%3Fjwt=x',
    '/a%23x',
    '@evil.test:%2F/',
  ]) {
    t.equal(
      refusal(() => sent(`&state=${state}`)),
      'request_malformed',
      state,
    );
  }
  t.end();
});

t.test('an address that the portal does not encode is read to its end, without what is the router’s own', (t) => {
  const rule = { role: 'return_to', url: { kind: 'relative', unencoded: true } };
  const portal = open(changed(set('authn_request.params.state', rule)));
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['subdomain=acme&key=k&state=/q?a=1&b=2+3&c=%26x', '/q?a=1&b=2+3&c=%26x'],
    ['subdomain=acme&key=k&state=/q?a=1&b=2&choose=us&again=x', '/q?a=1&b=2'],
    ['subdomain=acme&key=k&state=/q', '/q'],
    ['subdomain=acme&key=k&state=%2Fq%3Fa%3D1&b=2', '/q?a=1'],
    ['subdomain=acme&key=k&b=2', undefined],
  ];
  for (const [search, state] of rows) {
    const { params } = portal.readRequest(readQuery(search), { search, now: 100 });
    t.equal(params.state, state, search);
  }
  const search = 'subdomain=acme&key=k&state=/q?a=1&b=2';
  t.equal(
    portal.readRequest(readQuery(search)).params.state,
    '/q?a=1',
    'without the text of the query: to its first &',
  );
  const again = 'subdomain=acme&key=k&state=%2Fq%3Fa%3D1%26b%3D2';
  t.equal(portal.readRequest(readQuery(again), { search: again, now: 1 }).params.state, '/q?a=1&b=2');
  for (const state of ['//evil.test', '/%5Cevil.test?a', '/\\evil', 'https://evil.test']) {
    const bad = `subdomain=acme&key=k&state=${state}&x=1`;
    t.equal(
      refusal(() => portal.readRequest(readQuery(bad), { search: bad, now: 1 })),
      'request_malformed',
      state,
    );
  }
  t.end();
});

t.test('allow_prefix: an exact origin, and plain segments below a path', (t) => {
  const allowed = [prepareAllow('https://x.test/exact'), prepareAllowBelow('https://org.x.test/sp/OIDC/')].flatMap(
    (entry) => entry ?? [],
  );
  const rows: readonly (readonly [string, string])[] = [
    ['https://org.x.test/sp/OIDC/123/implicit', 'accepted'],
    ['https://org.x.test/sp/OIDC/', 'accepted'],
    ['https://org.x.test/sp/OIDC/a?x=1', 'accepted'],
    ['https://org.x.test:443/sp/OIDC/a', 'accepted'],
    ['https://x.test/exact', 'accepted'],
    ['https://x.test/exact/more', 'redirect_uri_not_listed'],
    ['https://org.x.test/sp/OIDC', 'redirect_uri_not_listed'],
    ['https://org.x.test/sp/OIDCevil/', 'redirect_uri_not_listed'],
    ['https://org.x.test/sp/OIDC/../admin', 'redirect_uri_not_listed'],
    ['https://org.x.test/sp/OIDC/a/./b', 'redirect_uri_not_listed'],
    ['https://org.x.test/sp/OIDC/..;/admin', 'redirect_uri_not_listed'],
    ['https://org.x.test/sp/OIDC//evil.test', 'redirect_uri_not_listed'],
    ['https://org.x.test/sp/OIDC/a;b', 'redirect_uri_not_listed'],
    ['https://org.x.test/sp/OIDC/%2e%2e/admin', 'redirect_uri_malformed'],
    ['https://org.x.test/sp/OIDC/a\\b', 'redirect_uri_malformed'],
    ['https://org.x.test@evil.test/sp/OIDC/a', 'redirect_uri_malformed'],
    ['https://evil.test/sp/OIDC/a', 'redirect_uri_not_listed'],
    ['https://org.x.test.evil.test/sp/OIDC/a', 'redirect_uri_not_listed'],
    ['http://org.x.test/sp/OIDC/a', 'redirect_uri_not_listed'],
    ['https://org.x.test:8443/sp/OIDC/a', 'redirect_uri_not_listed'],
    ['https://org.x.test/sp/OIDC/a?id_token=x', 'redirect_uri_reserved_parameter'],
  ];
  for (const [url, expected] of rows) {
    const verdict = judgeReturnUrl(url, allowed, new Set(['id_token']), []);
    t.equal(verdict.ok ? 'accepted' : verdict.reason, expected, url);
  }
  t.equal(prepareAllowBelow('https://x.test/a'), undefined, 'it could end inside a name');
  t.end();
});

t.test('an absolute address that only travels along is judged by a list of its own', (t) => {
  const rule = {
    role: 'return_to',
    url: { kind: 'absolute', allow_prefix: ['https://{config.subdomain}.portal.test/'] },
  };
  const portal = open(changed(set('authn_request.params.state', rule)), { allowRedirects: [] });
  const request = (state: string) => portal.readRequest(readQuery(`subdomain=acme&key=k&state=${state}`));
  t.match(portal.deliver(request('https://acme.portal.test/p/x'), 'T'), {
    url: 'https://acme.portal.test/sso?key=k&state=https%3A%2F%2Facme.portal.test%2Fp%2Fx&jwt=T',
  });
  for (const state of ['https://evil.test/', 'https://acme.portal.test.evil.test/', 'http://acme.portal.test/']) {
    t.equal(
      refusal(() => request(state)),
      'redirect_uri_not_listed',
      state,
    );
  }
  t.end();
});
