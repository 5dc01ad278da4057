import fc from 'fast-check';
import t from 'tap';
import type { EnvironmentName, PortalName } from '../../src/core/names.ts';
import { type Address, findAddress, fixedAddresses, METHODS } from '../../src/http/addresses.ts';
import { appendParam } from '../../src/http/answer.ts';
import { asCalled, askedAgain } from '../../src/http/login-url.ts';

const name = 'support' as PortalName;
const fixed = fixedAddresses([{ name, loginPath: '/callback', logoutPath: '/logout' }]);
const find = (path: string) => findAddress(fixed, path);
const us = 'us' as EnvironmentName;

t.test('every address is found at exactly one path', (t) => {
  const addresses: Record<string, Address> = {
    '/callback': { at: 'login', portal: name },
    '/logout': { at: 'logout', portal: name },
    '/logout/AZaz09_-': { at: 'logout_run', run: 'AZaz09_-' },
    '/return/us': { at: 'return', environment: us },
    '/enter/us/support': { at: 'enter', environment: us, portal: name },
    '/.well-known/openid-configuration': { at: 'metadata' },
    '/.well-known/jwks.json': { at: 'jwks' },
    '/oidc/jwks': { at: 'jwks' },
    '/api/auth/jwt': { at: 'exchange' },
    '/logout-feed/us': { at: 'feed', environment: us },
    '/logout-feed/us/ack': { at: 'feed_ack', environment: us },
  };
  for (const [path, address] of Object.entries(addresses)) {
    t.same(find(path), address, path);
    t.same(METHODS[address.at][0], ['exchange', 'feed_ack'].includes(address.at) ? 'POST' : 'GET');
    for (const other of [
      `${path}/`,
      `/${path}`,
      `${path}//`,
      `${path}%20`,
      `${path}.`,
      `${path};x`,
      `${path}/..`,
      `/x/..${path}`,
      `/.${path}`,
      path.replace('/', '/%2e/'),
      path.replace(/.$/, (last) => `%${last.charCodeAt(0).toString(16)}`),
      path.toUpperCase() === path ? '/x' : path.toUpperCase(),
      path.slice(1),
    ]) {
      t.equal(find(other), undefined, other);
    }
  }
  t.end();
});

t.test('names of objects and names that nobody can give are no addresses', (t) => {
  for (const path of [
    '/',
    '',
    '/__proto__',
    '/constructor',
    '/return',
    '/return/',
    '/return/__proto__',
    '/return/US',
    '/return/-us',
    `/return/${'a'.repeat(64)}`,
    '/enter/us',
    '/enter//support',
    '/enter/us/',
    '/enter/us/support/more',
    '/return/us/more',
    '/logout/',
    '/logout/a.b',
    '/logout/a/b',
    '/healthz',
    '/metrics',
  ]) {
    t.equal(find(path), undefined, path);
  }
  t.end();
});

/** Paths that are close to real ones. */
const piece = fc.oneof(
  fc.constantFrom(
    '/',
    'return',
    'enter',
    'logout',
    'logout-feed',
    'ack',
    'callback',
    'us',
    'support',
    '.',
    '..',
    '%2f',
    '%2e',
    ';',
    '//',
    '\\',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const path = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));

t.test('whatever the path, finding never throws, and what is found spells exactly that path', (t) => {
  fc.assert(
    fc.property(path, (path) => {
      const address = find(path);
      if (!address) return true;
      const spelled = {
        login: ['/callback'],
        logout: ['/logout'],
        exchange: ['/api/auth/jwt'],
        metadata: ['/.well-known/openid-configuration'],
        jwks: ['/.well-known/jwks.json', '/oidc/jwks'],
        logout_run: [`/logout/${'run' in address ? address.run : ''}`],
        return: [`/return/${'environment' in address ? address.environment : ''}`],
        logout_return: [`/return/${'environment' in address ? address.environment : ''}/logout`],
        description: [`/return/${'environment' in address ? address.environment : ''}/metadata`],
        enter: [
          'environment' in address && 'portal' in address ? `/enter/${address.environment}/${address.portal}` : '',
        ],
        backchannel_logout: [`/backchannel-logout/${'environment' in address ? address.environment : ''}`],
        feed: [`/logout-feed/${'environment' in address ? address.environment : ''}`],
        feed_ack: [`/logout-feed/${'environment' in address ? address.environment : ''}/ack`],
        authorize: ['/oidc/auth'],
        resume: [`/oidc/auth/${'uid' in address ? address.uid : ''}`],
        token: ['/oidc/token'],
        userinfo: ['/oidc/me'],
        end_session: ['/oidc/logout'],
      };
      return spelled[address.at].includes(path);
    }),
    { numRuns: 20_000 },
  );
  t.end();
});

const query = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'choose=us',
        'choose',
        'ask=picker',
        'ask=',
        'typed=x',
        'find=us',
        'finds=1',
        'again',
        'against=1',
        'chooser=1',
        'xchoose=2',
        'env=eu',
        '',
        'a=b=c',
        'choose=a&b',
      ),
      fc.string({ unit: fc.constantFrom(...'abcAZ09%=+;:/?.-_~'), maxLength: 10 }),
    ),
    { maxLength: 6 },
  )
  .map((pairs) => pairs.join('&'));

t.test('the login URL as it was called keeps the portal’s bytes in order and drops our own parameters alone', (t) => {
  t.equal(asCalled('/callback', ''), '/callback');
  t.equal(asCalled('/callback', 'choose=us'), '/callback');
  t.equal(asCalled('/callback', 'a=%2F+b&choose=us&c&ask=picker&d='), '/callback?a=%2F+b&c&d=');
  fc.assert(
    fc.property(query, (search) => {
      const url = asCalled('/callback', search);
      const kept = url === '/callback' ? [] : url.slice('/callback?'.length).split('&');
      const given = search.split('&').filter((pair) => pair !== '');
      const ours = (pair: string) => /^(?:choose|ask|find|typed|again)(?:=|$)/.test(pair);
      return JSON.stringify(kept) === JSON.stringify(given.filter((pair) => !ours(pair)));
    }),
    { numRuns: 5_000 },
  );
  t.end();
});

t.test('asking again says the portal’s request and nothing else', (t) => {
  const request = { portal: name, initiated: 'portal', params: { redirect_uri: 'https://a.test/b?c=d&e' } } as const;
  const url = new URL(askedAgain('/callback', request), 'https://x.test');
  t.same(Object.fromEntries(url.searchParams), request.params);
  t.equal(askedAgain('/callback', { ...request, params: {} }), '/callback');
  t.end();
});

t.test('a parameter is appended behind whatever the URL has', (t) => {
  t.equal(appendParam('https://a.test/', 'b', 'c&d=é'), 'https://a.test/?b=c%26d%3D%C3%A9');
  t.equal(appendParam('https://a.test/?x=y', 'b', 'c'), 'https://a.test/?x=y&b=c');
  t.equal(appendParam('https://a.test/?', 'b', 'c'), 'https://a.test/?b=c');
  t.equal(appendParam('https://a.test/?x&', 'b', 'c'), 'https://a.test/?x&b=c');
  t.end();
});
