/** What is no login at all: each has its status, its line in the log, and leaves the router serving. */
import t from 'tap';
import { REASONS, type Reason } from '../../src/core/reason.ts';
import type { Send } from '../support/browser.ts';
import { alive, denied } from '../support/denied.ts';
import { rawGet, sendRaw } from '../support/raw.ts';
import { changedRoutes, LOGIN, openWorld } from '../support/world.ts';

const world = await openWorld(t);

t.test('an answer outside the addresses, methods, sizes and types that there are says which', async (t) => {
  const form = 'application/x-www-form-urlencoded';
  const rows: readonly (readonly [what: string, url: string, send: Send, reason: Reason, status: number])[] = [
    ['an unknown address', '/nowhere', {}, 'address_unknown', 404],
    ['the root', '/', {}, 'address_unknown', 404],
    ['health, which is on the admin listener', '/healthz', {}, 'address_unknown', 404],
    ['a slash more', '/callback/', {}, 'address_unknown', 404],
    ['an escape', '/%63allback', {}, 'address_unknown', 404],
    ['an environment that is not there', '/return/nobody?state=x', {}, 'address_unknown', 404],
    ['a portal that is not there', '/enter/us/nobody', {}, 'address_unknown', 404],
    ['a run that is none', '/logout/abc', {}, 'address_unknown', 404],
    ['PUT', '/return/us', { method: 'PUT' }, 'method_not_allowed', 405],
    ['DELETE', '/callback', { method: 'DELETE' }, 'method_not_allowed', 405],
    ['PATCH', '/enter/us/support', { method: 'PATCH' }, 'method_not_allowed', 405],
    ['PROPFIND', '/callback', { method: 'PROPFIND' }, 'method_not_allowed', 405],
    ['POST to the sign-out', '/logout', { method: 'POST' }, 'method_not_allowed', 405],
    ['POST to the key set', '/oidc/jwks', { method: 'POST' }, 'method_not_allowed', 405],
    [
      'a form that is too large',
      '/enter/us/support',
      { method: 'POST', form: `a=${'b'.repeat(70_000)}` },
      'body_too_large',
      413,
    ],
    [
      'an answer that is too large',
      '/return/us',
      { method: 'POST', form: `a=${'b'.repeat(530_000)}` },
      'body_too_large',
      413,
    ],
    ['a large answer', '/return/us', { method: 'POST', form: `a=${'b'.repeat(500_000)}` }, 'state_missing', 400],
    ['an address that is too long', `/callback?a=${'b'.repeat(17_000)}`, {}, 'request_too_long', 414],
    [
      'JSON',
      '/return/us',
      { method: 'POST', form: '{}', headers: { 'content-type': 'application/json' } },
      'media_type_not_supported',
      415,
    ],
    [
      'multipart',
      '/return/us',
      { method: 'POST', form: 'x', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
      'media_type_not_supported',
      415,
    ],
    [
      'text',
      '/return/us',
      { method: 'POST', form: 'state=x', headers: { 'content-type': 'text/plain' } },
      'media_type_not_supported',
      415,
    ],
    [
      'a form that looks like two',
      '/return/us',
      { method: 'POST', form: 'a=1&a=2', headers: { 'content-type': form } },
      'request_parameter_duplicated',
      400,
    ],
    ['a broken escape', '/callback?redirect_uri=%', {}, 'request_malformed', 400],
    ['bytes that are not UTF-8', '/callback?redirect_uri=%ff%fe', {}, 'request_malformed', 400],
    ['a hidden control character', '/callback?redirect_uri=a%00b', {}, 'request_malformed', 400],
    ['a return without its state', '/return/us', {}, 'state_missing', 400],
  ];
  for (const [what, url, send, reason, status] of rows) {
    const seen = await denied(t, world, what, reason, () => world.browser().send(url, send));
    t.equal(seen.status, status);
    t.equal(REASONS[reason].status, status);
    if (status === 405) t.match(seen.headers.allow, /GET/);
  }
  await alive(t, world);
});

t.test('a login URL without redirect_uri ends at the portal’s own address', async (t) => {
  const browser = world.browser();
  t.equal((await browser.get('/callback?env=us')).status, 302);
  await denied(t, world, 'an empty one is a mistake', 'redirect_uri_malformed', () =>
    browser.get('/callback?env=us&redirect_uri='),
  );
});

t.test('what cannot be read as HTTP is refused on the line, with a line in the log', async (t) => {
  const host = 'Host: login.acme.test\r\n';
  const rows: readonly (readonly [what: string, bytes: string, status: number, reason: Reason])[] = [
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\n${host}X: ${'y'.repeat(40_000)}\r\n\r\n`,
      431,
      'header_too_large',
    ],
    ['no HTTP', 'HELLO\r\n\r\n', 400, 'request_malformed'],
    ['a bare line feed', `GET /callback HTTP/1.1\r\n${host}A: b\nC: d\r\n\r\n`, 400, 'request_malformed'],
    ['a space before the colon', `GET /callback HTTP/1.1\r\nHost : x\r\n\r\n`, 400, 'request_malformed'],
    [
      'Content-Length beside Transfer-Encoding',
      `POST /return/us HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      'request_malformed',
    ],
  ];
  for (const [what, bytes, status, reason] of rows) {
    const before = world.lines.length;
    const answer = await sendRaw(world.running.localUrl, bytes);
    t.match(answer, { status, location: '' }, what);
    t.match(
      world
        .events()
        .slice(before)
        .map(({ event, reason }) => [event, reason]),
      [['request.refused', reason]],
      what,
    );
  }
  for (const target of [
    'http://login.acme.test/callback',
    'http://[::bad/',
    '*',
    '/a b',
    '/\\evil',
    '//evil.example/%2f..',
  ]) {
    const { status, location } = await sendRaw(world.running.localUrl, rawGet(target));
    t.ok(status >= 400 && status < 500 && location === '', `${target}: ${status}`);
  }
  const odd = [
    'Trailer: x',
    '__proto__: x',
    'Expect: the-unexpected',
    'Upgrade: h2c',
    'Content-Length: 0',
    'TE: trailers',
  ];
  for (const line of odd) {
    const { status } = await sendRaw(world.running.localUrl, rawGet(LOGIN, line));
    t.ok(status < 500 && status > 0, `${line}: ${status}`);
  }
  await alive(t, world);
});

t.test('rate_limit: beyond the burst a client waits, and is told how long', async (t) => {
  const limited = await openWorld(t, {
    routes: changedRoutes((routes) => Object.assign(routes, { rate_limit: { per_client: '1/m', burst: 3 } })),
  });
  const browser = limited.browser();
  for (let request = 0; request < 3; request++) t.equal((await browser.get(LOGIN)).status, 200);
  const seen = await denied(t, limited, 'the fourth', 'rate_limited', () => browser.get(LOGIN));
  t.equal(seen.status, 429);
  const wait = Number(seen.headers['retry-after']);
  t.ok(wait > 0 && wait <= 60, `${wait} s`);
  t.equal((await browser.get('/.well-known/jwks.json')).status, 200, 'keys are always answered');
  t.equal((await browser.get(LOGIN, { method: 'HEAD' })).status, 204);
});

t.test('the admin listener answers health and metrics, and no login', async (t) => {
  const { adminUrl } = world.running;
  for (const path of ['/healthz', '/readyz']) t.equal((await fetch(adminUrl + path)).status, 200, path);
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
  t.match(metrics, /wayhome_outcomes_total\{event="request\.refused",reason="address_unknown"/);
  t.equal((await fetch(`${adminUrl}/callback`)).status, 404);
});
