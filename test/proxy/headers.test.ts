import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import fc from 'fast-check';
import t from 'tap';
import { confineCookie, withoutOurCookies } from '../../src/proxy/cookies.ts';
import { catchRedirect, readReference, readRefresh } from '../../src/proxy/location.ts';
import { namesHostTwice, rebuildHeaders } from '../../src/proxy/request-headers.ts';
import { answerHeaders } from '../../src/proxy/response-headers.ts';
import { readSite } from '../../src/proxy/site.ts';
import { CLIENT, HOST, ORIGIN, settings } from './stage.ts';

const site = readSite(settings('http://10.7.0.12:8080'));
const toldUpstream = readSite(settings('http://10.7.0.12:8080', { tells: 'upstream' }));

const rebuilt = (headers: IncomingHttpHeaders, to = site, client: Parameters<typeof rebuildHeaders>[1] = CLIENT) => {
  const flat = rebuildHeaders({ headers } as IncomingMessage, client, to);
  return Object.fromEntries(Array.from({ length: flat.length / 2 }, (_, at) => [flat[at * 2], flat[at * 2 + 1]]));
};

const OURS = {
  host: HOST,
  forwarded: `for=198.51.100.7;host=${HOST};proto=https`,
  'x-forwarded-for': '198.51.100.7',
  'x-forwarded-host': HOST,
  'x-forwarded-proto': 'https',
};

t.test('a request names the host, and who asks, by the router’s word alone', async (t) => {
  const claimed = {
    host: 'evil.test',
    forwarded: 'for=10.0.0.1',
    'x-forwarded-for': '10.0.0.1',
    'x-forwarded-host': 'evil.test',
    'x-forwarded-proto': 'http',
    'x-forwarded-port': '1',
    'x-real-ip': '10.0.0.1',
    x_forwarded_for: '10.0.0.1',
    via: '1.1 evil',
    'true-client-ip': '10.0.0.1',
  };
  t.strictSame(rebuilt(claimed), OURS);
});

t.test('headers of one connection, and names that nobody thought about, stay behind', async (t) => {
  const dropped = {
    connection: 'keep-alive',
    'keep-alive': 'timeout=5',
    te: 'trailers',
    trailer: 'X-A',
    'transfer-encoding': 'chunked',
    'content-length': '5',
    upgrade: 'h2c',
    'http2-settings': 'AAM',
    expect: '100-continue',
    'proxy-authorization': 'Basic eDp5',
    'proxy-connection': 'keep-alive',
    'x-http-method-override': 'DELETE',
    'x-original-url': '/admin',
    accept_language: 'x',
    'sec-websocket-key': 'x',
    ['__proto__']: 'x',
  };
  t.strictSame(rebuilt(dropped), OURS);
});

t.test('what a page needs is passed on as it is', async (t) => {
  const passed = {
    accept: 'text/html',
    authorization: 'Basic eDp5',
    'content-type': 'application/x-www-form-urlencoded',
    'if-none-match': '"x"',
    origin: ORIGIN,
    referer: `${ORIGIN}/login`,
    'sec-fetch-site': 'same-origin',
    'user-agent': 'A browser',
    'x-csrf-token': 'abc',
  };
  t.strictSame(rebuilt(passed), { ...OURS, ...passed });
});

t.test('a name in Connection is of this connection only', async (t) => {
  const named = rebuilt({ connection: 'Close, X-Csrf-Token , x-forwarded-for', 'x-csrf-token': 'a', accept: 'b' });
  t.strictSame(named, { ...OURS, accept: 'b' }, 'and ours cannot be named away');
});

t.test('an environment that is told its own name reads it wherever the browser names this host', async (t) => {
  const told = rebuilt({ origin: ORIGIN, referer: `${ORIGIN}/login?a=b` }, toldUpstream);
  t.match(told, {
    host: '10.7.0.12:8080',
    origin: 'http://10.7.0.12:8080',
    referer: 'http://10.7.0.12:8080/login?a=b',
  });
  t.equal(told['x-forwarded-host'], HOST);
  const foreign = { origin: 'https://evil.test', referer: `${ORIGIN}.evil.test/` };
  t.match(rebuilt(foreign, toldUpstream), foreign, 'other origins stay what they are');
});

t.test('the client’s address is an address, in the grammar of RFC 7239', async (t) => {
  const table: readonly (readonly [ip: string, by: string, legacy: string | undefined])[] = [
    ['192.0.2.1', '192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '"[2001:db8::1]"', '2001:db8::1'],
    ['', 'unknown', undefined],
    ['_hidden, for=10.0.0.1', 'unknown', undefined],
    ['x\r\ny: z', 'unknown', undefined],
  ];
  for (const [ip, by, legacy] of table) {
    const headers = rebuilt({}, site, { ip, proto: 'http' });
    t.equal(headers.forwarded, `for=${by};host=${HOST};proto=http`);
    t.equal(headers['x-forwarded-for'], legacy);
  }
  const onPort = readSite(settings('http://10.7.0.12', { origin: `http://${HOST}:8080` }));
  t.equal(rebuilt({}, onPort).forwarded, `for=198.51.100.7;host="${HOST}:8080";proto=https`);
});

t.test('two Host headers are seen, in any case', async (t) => {
  const twice = (rawHeaders: string[]) => namesHostTwice({ rawHeaders } as IncomingMessage);
  t.ok(twice(['Host', 'a', 'Accept', '*', 'hOST', 'b']));
  t.notOk(twice(['Host', 'a', 'X-Host', 'b', 'Accept', 'host']));
});

t.test('our cookies never reach an environment', async (t) => {
  const table: readonly (readonly [string, string])[] = [
    ['a=b; c=d', 'a=b; c=d'],
    ['__Host-wayhome-login.x=secret', ''],
    ['a=b; __Host-wayhome-visit.support.us=secret; c=d', 'a=b; c=d'],
    ['a=b;__HOST-WayHome-login.x=secret', 'a=b'],
    ['  __Host-wayhome-caught = secret ;a=b', 'a=b'],
    ['__Host-session=theirs', '__Host-session=theirs'],
    ['a="x; __Host-wayhome-login.x=secret; y"', 'a="x; y"'],
    ['a=__Host-wayhome-login', 'a=__Host-wayhome-login'],
    ['__Host-wayhome', ''],
  ];
  for (const [header, left] of table) t.equal(withoutOurCookies(header), left, header);
  t.notOk('cookie' in rebuilt({ cookie: '__Host-wayhome-login.x=secret' }), 'no empty header either');
});

t.test('a cookie of an environment stays with its own host', async (t) => {
  const hostnames = [HOST, '10.7.0.12'];
  const table: readonly (readonly [string, string | undefined])[] = [
    ['a=b', 'a=b; Secure'],
    ['a=b; Path=/; HttpOnly; Secure; SameSite=Lax', 'a=b; Path=/; HttpOnly; Secure; SameSite=Lax'],
    ['a=b; secure', 'a=b; secure'],
    ['__Host-session=b; Secure; Path=/', '__Host-session=b; Secure; Path=/'],
    [`a=b; Domain=${HOST}`, 'a=b; Secure'],
    [`a=b; domain = .${HOST.toUpperCase()} ; Path=/x`, 'a=b; Path=/x; Secure'],
    ['a=b; Domain=10.7.0.12', 'a=b; Secure'],
    ['a=b; Domain=', 'a=b; Secure'],
    ['a=b; Domain', 'a=b; Secure'],
    ['a=b; Domain=login.acme.test', undefined],
    ['a=b; Domain=acme.test', undefined],
    ['a=b; Domain=.test', undefined],
    [`a=b; Domain=${HOST}; Domain=acme.test`, undefined],
    [`a=b; Domain=x.${HOST}`, undefined],
    ['a=b; Domain="acme.test"', undefined],
    ['__Host-wayhome-login.x=evil; Secure; Path=/', undefined],
    ['__host-WAYHOME-caught=evil', undefined],
    [' \t__Host-wayhome-caught =evil', undefined],
    ['=__Host-wayhome-login.x=evil', undefined],
    ['__Host-wayhome-login.x', undefined],
    ['', undefined],
    ['; Domain=acme.test', undefined],
    ['a=b;; ;Path=/', 'a=b; Path=/; Secure'],
    ['a=b=c; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'a=b=c; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Secure'],
  ];
  for (const [line, confined] of table) t.equal(confineCookie(line, hostnames, true), confined, line);
  t.equal(confineCookie('a=b', hostnames, false), 'a=b', 'plain http has no Secure');
});

t.test('no Set-Cookie line that passes names a domain or is ours', async () => {
  const word = fc.constantFrom(
    'a',
    '=',
    ';',
    ' ',
    '\t',
    'Domain',
    'domain=',
    '.',
    'acme.test',
    HOST,
    '__Host-wayhome',
    '"',
    'Secure',
  );
  const line = fc.array(word, { maxLength: 14 }).map((words) => words.join(''));
  fc.assert(
    fc.property(line, (text) => {
      const confined = confineCookie(text, [HOST], true);
      if (confined === undefined) return true;
      const [name = '', ...attributes] = confined.split(';').map((part) => part.trim().toLowerCase());
      return !name.startsWith('__host-wayhome') && !attributes.some((part) => /^domain\s*(=|$)/.test(part));
    }),
    { numRuns: 3000 },
  );
});

t.test('a Location of the environment’s own becomes one of this host; others keep their bytes', async (t) => {
  const table: readonly (readonly [string, 'here' | 'elsewhere' | 'nowhere', string])[] = [
    ['/next?a=b#c', 'here', '/next?a=b#c'],
    ['next', 'here', 'next'],
    ['', 'here', ''],
    [`${ORIGIN}/next`, 'here', `${ORIGIN}/next`],
    ['http://10.7.0.12:8080/next?a=b#c', 'here', `${ORIGIN}/next?a=b#c`],
    ['https://10.7.0.12:8080/next', 'here', `${ORIGIN}/next`],
    ['//10.7.0.12:8080/next', 'here', `${ORIGIN}/next`],
    [`http://${HOST}/next`, 'here', `${ORIGIN}/next`],
    [`http://${HOST}:8080/next`, 'here', `${ORIGIN}/next`],
    [`http://u:p@${HOST}/next`, 'here', `${ORIGIN}/next`],
    ['http://10.7.0.12/next', 'elsewhere', 'http://10.7.0.12/next'],
    ['https://login.acme.test/return/globex?state=x', 'elsewhere', 'https://login.acme.test/return/globex?state=x'],
    ['//evil.test/x', 'elsewhere', '//evil.test/x'],
    ['/\\evil.test/x', 'elsewhere', '/\\evil.test/x'],
    ['/\t/evil.test', 'elsewhere', '/\t/evil.test'],
    [`https://${HOST}.evil.test/`, 'elsewhere', `https://${HOST}.evil.test/`],
    ['javascript:alert(1)', 'elsewhere', 'javascript:alert(1)'],
    ['http://[::bad/', 'nowhere', ''],
  ];
  for (const [location, is, to] of table) {
    const leads = readReference(location, site);
    t.equal(leads.is, is, location);
    t.equal(leads.is === 'nowhere' ? '' : leads.to, to, location);
  }
});

t.test('only a redirect that leaves this host can be caught', async (t) => {
  const caught = (status: number, location: string) => catchRedirect(status, location, site, (url) => url.href);
  for (const status of [301, 302, 303, 307, 308]) t.equal(caught(status, 'https://p.test/x'), 'https://p.test/x');
  for (const status of [200, 201, 300, 304, 404]) t.equal(caught(status, 'https://p.test/x'), undefined);
  t.equal(caught(302, '/x'), undefined);
  t.equal(caught(302, 'http://10.7.0.12:8080/x'), undefined);
});

t.test('Refresh is rewritten like Location', async (t) => {
  const table: readonly (readonly [string, string | undefined])[] = [
    ['5', '5'],
    ['5; url=http://10.7.0.12:8080/x', `5; url=${ORIGIN}/x`],
    ["0;URL='http://10.7.0.12:8080/x?a=b;c'", `0;URL='${ORIGIN}/x?a=b;c'`],
    ['0,http://10.7.0.12:8080/x', `0,${ORIGIN}/x`],
    ['0; url=/x', '0; url=/x'],
    ['0; url=https://other.test/', '0; url=https://other.test/'],
    ['0; url=http://[::bad/', undefined],
  ];
  for (const [refresh, told] of table) t.equal(readRefresh(refresh, site), told, refresh);
});

t.test('an answer brings nothing that is of one connection, or that reaches beyond its host', async (t) => {
  const headers = {
    connection: 'close, X-Secret',
    'x-secret': '1',
    'keep-alive': 'timeout=5',
    'transfer-encoding': 'Chunked',
    trailer: 'X-A',
    upgrade: 'h2c',
    'proxy-authenticate': 'Basic',
    'alt-svc': 'h3=":443"',
    'clear-site-data': '"cookies"',
    'strict-transport-security': 'max-age=1; includeSubDomains',
    'public-key-pins': 'x',
    'service-worker-allowed': '/',
    'x-accel-redirect': '/internal/',
    'x-sendfile': '/etc/passwd',
    'content-type': 'text/html',
    'set-cookie': ['a=b', 'c=d; Domain=acme.test', '__Host-wayhome-x=1'],
    location: 'http://10.7.0.12:8080/next',
    'content-location': 'http://10.7.0.12:8080/here',
    ['__proto__']: 'x',
  } as unknown as IncomingHttpHeaders;
  t.strictSame(answerHeaders(headers, 302, site), [
    'content-type',
    'text/html',
    'set-cookie',
    'a=b; Secure',
    'location',
    `${ORIGIN}/next`,
    'content-location',
    `${ORIGIN}/here`,
    '__proto__',
    'x',
  ]);
});

t.test('an answer whose end could be in two places is none', async (t) => {
  const table: readonly (readonly [string, Record<string, string | string[]>])[] = [
    ['a list of lengths', { 'content-length': ['5', '6'] }],
    ['no number', { 'content-length': '5, 5' }],
    ['a sign', { 'content-length': '+5' }],
    ['length and coding', { 'content-length': '5', 'transfer-encoding': 'chunked' }],
    ['another coding', { 'transfer-encoding': 'gzip, chunked' }],
    ['two codings', { 'transfer-encoding': ['gzip', 'chunked'] }],
    ['two Locations', { location: ['/a', '/b'] }],
  ];
  for (const [what, headers] of table) {
    t.throws(() => answerHeaders(headers as IncomingHttpHeaders, 200, site), { name: 'UpstreamFault' }, what);
  }
  t.strictSame(answerHeaders({ 'content-length': '5' }, 200, site), ['content-length', '5']);
  t.strictSame(answerHeaders({ 'content-length': '5' }, 204, site), [], 'a 204 has no body');
});
