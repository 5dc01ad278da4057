import { connect, type Socket } from 'node:net';
import { inspect } from 'node:util';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { parseNoProxy, readProxyVariables } from '../../src/outbound/proxy-variables.ts';
import { kindOf, open } from './attempts.ts';
import { CERTIFICATE } from './loopback-certificate.ts';
import { type LoopbackServer, serve, serveConnect, serveTls } from './servers.ts';

const NO_PROXY: readonly (readonly [list: string, direct: readonly string[], proxied: readonly string[]])[] = [
  ['', [], ['https://acme.com', 'https://10.0.0.1']],
  ['*', ['https://acme.com', 'https://10.0.0.1', 'https://[2001:db8::1]'], []],
  [
    'acme.com',
    ['https://acme.com', 'https://eu.acme.com:8443', 'https://ACME.com./x'],
    ['https://notacme.com', 'https://acme.com.evil.test'],
  ],
  ['.acme.com', ['https://eu.acme.com', 'https://a.b.acme.com'], ['https://acme.com', 'https://notacme.com']],
  ['*.acme.com', ['https://eu.acme.com'], ['https://acme.com', 'https://notacme.com']],
  [
    'acme.com:8443',
    ['https://acme.com:8443', 'https://eu.acme.com:8443'],
    ['https://acme.com', 'https://acme.com:843'],
  ],
  ['acme.com:443', ['https://acme.com', 'https://acme.com:443'], ['https://acme.com:8443']],
  ['ACME.com., other.test', ['https://acme.com', 'https://other.test'], ['https://third.test']],
  [' a.test\tb.test,,c.test ', ['https://a.test', 'https://b.test', 'https://c.test'], ['https://d.test']],
  ['bücher.test', ['https://xn--bcher-kva.test'], ['https://bucher.test']],
  [
    '10.7.0.12',
    ['https://10.7.0.12', 'https://0xa.7.0.12'],
    ['https://10.7.0.1', 'https://10.7.0.12.evil.test', 'https://1.10.7.0.12.test'],
  ],
  ['10.0.0.0/8', ['https://10.7.0.12', 'https://[::ffff:10.7.0.12]'], ['https://11.0.0.1', 'https://ten.test']],
  ['2001:db8::1', ['https://[2001:db8:0::1]', 'https://[2001:db8::1]:8443'], ['https://[2001:db8::2]']],
  ['[2001:db8::1]:8443', ['https://[2001:db8::1]:8443'], ['https://[2001:db8::1]']],
  ['2001:db8::/32', ['https://[2001:db8:9::1]'], ['https://[2001:db9::1]']],
  ['10.0.0.0/33 10.0.0/8 x/y / : [ a:b:c .', [], ['https://10.0.0.1', 'https://a.test', 'https://x']],
];

t.test('NO_PROXY names what is reached directly', async (t) => {
  for (const [list, direct, proxied] of NO_PROXY) {
    const isDirect = parseNoProxy(list);
    for (const url of direct) t.equal(isDirect(new URL(url)), true, `${list}: ${url} directly`);
    for (const url of proxied) t.equal(isDirect(new URL(url)), false, `${list}: ${url} by way of the proxy`);
  }
});

t.test('no NO_PROXY stops the router from starting', async () => {
  const target = new URL('https://id.acme.test/');
  const text = fc.string({ unit: fc.constantFrom(...'a.*:[]/%0, ä-@#?\\\0') });
  fc.assert(
    fc.property(text, (list) => typeof parseNoProxy(list)(target) === 'boolean'),
    { numRuns: 2_000 },
  );
});

t.test('the variables are read as others read them', async (t) => {
  const target = new URL('https://id.acme.test/');
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  const cases: readonly (readonly [Record<string, string | undefined>, object | undefined])[] = [
    [{}, undefined],
    [{ HTTPS_PROXY: '' }, undefined],
    [{ HTTP_PROXY: 'http://p:1', http_proxy: 'http://p:1', ALL_PROXY: 'http://p:1' }, undefined],
    [{ HTTPS_PROXY: 'http://proxy.test:3128' }, { url: 'http://proxy.test:3128' }],
    [{ HTTPS_PROXY: 'http://upper:1', https_proxy: 'http://lower:2/' }, { url: 'http://lower:2' }],
    [{ HTTPS_PROXY: 'proxy.test:3128' }, { url: 'http://proxy.test:3128' }],
    [{ HTTPS_PROXY: 'https://proxy.test' }, { url: 'https://proxy.test' }],
    [{ HTTPS_PROXY: 'http://10.0.0.1:3128' }, { url: 'http://10.0.0.1:3128' }],
    [{ HTTPS_PROXY: 'http://u%40x:p%3A%2F@p:1' }, { url: 'http://p:1', authorization: basic('u@x:p:/') }],
    [{ HTTPS_PROXY: 'u:p%@p:1' }, { url: 'http://p:1', authorization: basic('u:p%') }],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'acme.test' }, undefined],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'acme.test', no_proxy: 'other.test' }, { url: 'http://p:1' }],
  ];
  for (const [variables, expected] of cases) {
    t.same(readProxyVariables(variables)(target), expected, JSON.stringify(variables));
  }
  const proxyFor = readProxyVariables({ HTTPS_PROXY: 'http://p:1' });
  for (const url of [
    'http://127.0.0.1/',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://localhost./',
    'https://[::ffff:7f00:1]/',
  ]) {
    t.equal(proxyFor(new URL(url)), undefined, `${url} is no business of a proxy`);
  }
  for (const faulty of ['socks5://canary:1', 'http://', 'http://u:canary@:1', 'http://canary:x']) {
    t.throws(() => open(t, { variables: { HTTPS_PROXY: faulty } }), /^(?!.*canary).*HTTPS_PROXY/, faulty);
  }
});

/** A proxy that takes every name for a server on loopback, and remembers what it was asked. */
async function openProxy(t: Test, credentials?: string): Promise<LoopbackServer & { asked: string[] }> {
  const asked: string[] = [];
  const server = await serveConnect(t, (request, client) => {
    asked.push(request.url ?? '');
    const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
    if (request.headers['proxy-authorization'] !== expected) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n');
      return;
    }
    const onward: Socket = connect(Number(new URL(`http://${request.url}`).port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(client).pipe(onward);
    });
    onward.on('error', () => client.destroy());
    client.on('close', () => onward.destroy());
  });
  return { ...server, asked };
}

const unresolved = () => {
  throw new Error('a name was resolved here');
};

t.test('https goes through the proxy, which resolves the name and sees neither request nor answer', async (t) => {
  const seen: object[] = [];
  const server = await serveTls(t, (request, response) => {
    seen.push(request.headers);
    response.end('x'.repeat(request.url === '/large' ? 300_000 : 2));
  });
  const proxy = await openProxy(t, 'wayhome:pa:ss');
  const variables = { HTTPS_PROXY: `http://wayhome:pa%3Ass@127.0.0.1:${proxy.port}` };
  const outbound = open(t, { variables, lookup: unresolved });
  const us = outbound.callerFor('us', { allowPrivate: false, ca: CERTIFICATE });
  const url = `https://keys.acme.test:${server.port}/`;
  t.equal(await kindOf(us.call({ url, method: 'POST' })), 'answered');
  t.equal(await kindOf(us.call({ url })), 'answered');
  t.same(proxy.asked, [`keys.acme.test:${server.port}`], 'one tunnel for both calls');
  t.notMatch(JSON.stringify(seen), /proxy|Basic/i);
  t.equal(await kindOf(us.call({ url: `${url}large` })), 'too_large');
  t.equal(await kindOf(us.call({ url: `https://other.acme.test:${server.port}/` })), 'tls', 'another name');
  const trusting = outbound.callerFor('eu', { allowPrivate: false });
  t.equal(await kindOf(trusting.call({ url })), 'tls', 'an unknown authority');
  t.equal(server.connections(), proxy.asked.length);
});

t.test('case 26: literal addresses are judged before the proxy hears of them', async (t) => {
  const server = await serveTls(t, (_, response) => response.end('{}'));
  const proxy = await openProxy(t);
  const outbound = open(t, { variables: { https_proxy: proxy.url }, lookup: unresolved });
  const refused: readonly (readonly [host: string, allowPrivate: boolean])[] = [
    ['10.0.0.1', false],
    ['[fd12::1]', false],
    ['[::ffff:10.0.0.1]', false],
    ['169.254.169.254', false],
    ['169.254.169.254', true],
    ['[fd00:ec2::254]', true],
    ['0.0.0.0', true],
    ['127.0.0.1', false],
    ['2130706433', false],
    ['[::1]', false],
  ];
  for (const [host, allowPrivate] of refused) {
    const us = outbound.callerFor('us', { allowPrivate });
    t.equal(await kindOf(us.call({ url: `https://${host}:${server.port}/` })), 'address_refused', host);
  }
  t.same(proxy.asked, []);
  const us = outbound.callerFor('us', { allowPrivate: true, ca: CERTIFICATE });
  t.equal(await kindOf(us.call({ url: `https://10.0.0.1:${server.port}/` })), 'tls', 'allowed: the proxy leads there');
  t.same(proxy.asked, [`10.0.0.1:${server.port}`]);
});

t.test('loopback and what NO_PROXY names are reached directly, and judged where they are dialled', async (t) => {
  const plain = await serve(t, (_, response) => response.end('{}'));
  const server = await serveTls(t, (_, response) => response.end('{}'));
  const proxy = await openProxy(t);
  const lookup: Parameters<typeof open>[1] = {
    lookup: (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
  };
  const outbound = open(t, { ...lookup, variables: { HTTPS_PROXY: proxy.url, NO_PROXY: '.acme.test' } });
  const us = outbound.callerFor('us', { allowPrivate: true, ca: CERTIFICATE });
  for (const url of [plain.url, server.url, `https://keys.acme.test:${server.port}/`]) {
    t.equal(await kindOf(us.call({ url })), 'answered', url);
  }
  const strict = outbound.callerFor('eu', { allowPrivate: false, ca: CERTIFICATE });
  t.equal(await kindOf(strict.call({ url: `https://keys.acme.test:${server.port}/` })), 'address_refused');
  t.same(proxy.asked, []);
});

t.test(
  'a proxy that refuses, is silent, is gone or is no proxy ends the call, and no message holds its password',
  async (t) => {
    const refusing = await openProxy(t, 'someone:else');
    const silent = await serveConnect(t, () => {});
    const resetting = await serveConnect(t, (_, client) => client.destroy());
    const strange = await serveConnect(t, (_, client) => client.end('hello\r\n\r\n'));
    const untrusted = await serveTls(t, (_, response) => response.end());
    const cases: readonly (readonly [proxy: string, kind: string, says: RegExp])[] = [
      [`http://u:canary@127.0.0.1:${refusing.port}`, 'network', /proxy 127\.0\.0\.1:\d+: the proxy answered 407/],
      [`http://u:canary@127.0.0.1:${silent.port}`, 'timeout', /proxy 127/],
      [`http://u:canary@127.0.0.1:${resetting.port}`, 'network', /proxy 127/],
      [`http://u:canary@127.0.0.1:${strange.port}`, 'network', /proxy 127/],
      ['http://u:canary@127.0.0.1:1', 'network', /ECONNREFUSED/],
      // The environment's authority vouches for the environment, not for the proxy.
      [`https://u:canary@localhost:${untrusted.port}`, 'tls', /proxy localhost/],
    ];
    for (const [HTTPS_PROXY, kind, says] of cases) {
      const outbound = open(t, { timeoutMs: 500, variables: { HTTPS_PROXY } });
      const us = outbound.callerFor('us', { allowPrivate: false, ca: CERTIFICATE });
      const error = await us.call({ url: 'https://keys.acme.test/?canary' }).catch((error: unknown) => error);
      t.match(error, { kind, message: says }, HTTPS_PROXY);
      t.notMatch(inspect(error, { depth: 9 }), new RegExp(`canary|${Buffer.from('u:canary').toString('base64')}`));
    }
  },
);
