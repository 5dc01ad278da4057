/** Absolute addresses that a portal only wants handed back: deep links, which may hold what no return address may. */
import fc from 'fast-check';
import t from 'tap';
import { checkSettings } from '../../../src/portals/check-settings.ts';
import { judgeEchoed } from '../../../src/portals/echoed-url.ts';
import { builtInPreset, parsePreset } from '../../../src/portals/load.ts';
import { readQuery } from '../../../src/portals/query.ts';
import { prepareAllow, prepareAllowBelow } from '../../../src/portals/redirect-uri.ts';
import { changed, open, set } from '../invented.ts';
import { refusal } from '../refusal.ts';

const below = (url: string) => prepareAllowBelow(url) ?? [];
const SITES = [
  ...[below('https://acme.test/'), below('https://kb.test/help/')].flat(),
  ...[prepareAllow('https://exact.test/page') ?? []].flat(),
];
const judge = (url: string) => refusal(() => judgeEchoed('return_to', url, SITES));

t.test('an address on a listed site is accepted, however deep it leads', (t) => {
  for (const url of [
    'https://acme.test',
    'https://acme.test/',
    'https://acme.test?a=b',
    'https://acme.test#top',
    'https://acme.test/hc/ja/articles/1-%E3%81%82?x=1&x=2#part',
    'https://acme.test/a/b/?next=https://evil.test/',
    'https://acme.test/ä',
    'https://kb.test/help/a',
    'https://exact.test/page',
    'https://exact.test/page?a=b',
  ])
    t.equal(judge(url), 'accepted', url);
  t.end();
});

t.test('everything else is not', (t) => {
  for (const [url, reason] of [
    ['https://acme.test.evil.test/', 'redirect_uri_not_listed'],
    ['https://acme.test@evil.test/', 'redirect_uri_not_listed'],
    ['https://acme.test:443/', 'redirect_uri_not_listed'],
    ['https://acme.test:8443/', 'redirect_uri_not_listed'],
    ['https://acme.test\\evil.test/', 'redirect_uri_not_listed'],
    ['https://ACME.test/', 'redirect_uri_not_listed'],
    ['http://acme.test/', 'redirect_uri_not_listed'],
    ['//acme.test/', 'redirect_uri_not_listed'],
    ['/a', 'redirect_uri_not_listed'],
    ['', 'redirect_uri_not_listed'],
    ['https://kb.test/', 'redirect_uri_not_listed'],
    ['https://kb.test/helpless', 'redirect_uri_not_listed'],
    ['https://exact.test/page/', 'redirect_uri_not_listed'],
    ['https://exact.test/pages', 'redirect_uri_not_listed'],
    ['https://kb.test/help/../admin', 'request_malformed'],
    ['https://kb.test/help/%2e%2e/admin', 'request_malformed'],
    ['https://acme.test//evil.test/', 'request_malformed'],
    ['https://acme.test/\\evil.test', 'request_malformed'],
    ['https://acme.test/a b', 'request_malformed'],
    ['https://acme.test/%0d%0aSet-Cookie:a=b', 'request_malformed'],
  ] as const)
    t.equal(judge(url), reason, url);
  t.end();
});

t.test('whatever is accepted, every parser finds a listed origin in it', (t) => {
  const tail = fc.oneof(
    fc.webUrl(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('@evil.test', '.evil.test', ':1@evil.test', '\t'),
  );
  const text = fc
    .tuple(fc.constantFrom('https://acme.test', 'https://acme.test/', 'https://kb.test/help/'), tail)
    .map((two) => two.join(''));
  fc.assert(
    fc.property(text, (url) => {
      if (judge(url) !== 'accepted') return true;
      const { origin, username } = new URL(url);
      return ['https://acme.test', 'https://kb.test', 'https://exact.test'].includes(origin) && username === '';
    }),
    { numRuns: 2_000 },
  );
  t.end();
});

t.test('the operator adds sites under allow_redirects: everything below one that ends in /', (t) => {
  const param = {
    role: 'return_to',
    url: { kind: 'absolute', allow_prefix: ['https://{config.subdomain}.portal.test/'] },
  };
  const portal = open(changed(set('authn_request.params.state', param)), {
    allowRedirects: ['https://brand.test/', 'https://one.test/page'],
  });
  const ask = (state: string) =>
    refusal(() => portal.readRequest(readQuery(`subdomain=acme&key=k&state=${encodeURIComponent(state)}`)));
  for (const url of ['https://acme.portal.test/a', 'https://brand.test/a/b', 'https://one.test/page'])
    t.equal(ask(url), 'accepted', url);
  for (const url of ['https://one.test/page/a', 'https://brand.test.evil.test/', 'https://evil.test/'])
    t.equal(ask(url), 'redirect_uri_not_listed', url);

  const zendesk = builtInPreset('zendesk');
  const pasted = {
    settings: { subdomain: 'acme' },
    tokenLifetime: 60,
    allowRedirects: ['https://brand2.zendesk.com/'],
  };
  t.same(zendesk && checkSettings(zendesk, pasted), [], 'brands of one account');
  const helpcenter = builtInPreset('helpcenter_io');
  t.match(helpcenter && checkSettings(helpcenter, { ...pasted, tokenLifetime: 120 }), [
    { path: ['allow_redirects', 0] },
  ]);
  t.end();
});

t.test('pins and reserved names belong to addresses that tokens are sent to', (t) => {
  const url = { kind: 'absolute', allow_prefix: ['https://x.test/'], reserved: ['jwt'] };
  const outcome = parsePreset(changed(set('authn_request.params.state', { role: 'return_to', url })));
  t.match(outcome.ok ? [] : outcome.problems.map(({ path }) => path.join('.')), ['authn_request.params.state.url']);
  t.end();
});
