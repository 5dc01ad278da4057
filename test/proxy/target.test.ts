import fc from 'fast-check';
import t from 'tap';
import type { Reason } from '../../src/core/reason.ts';
import { refuseTarget } from '../../src/proxy/target.ts';

const PATHS = ['/sso/', '/login', '/assets/'];

const PASSED = [
  '/sso/',
  '/sso/start?redirect_uri=https%3A%2F%2Flogin.acme.test%2Freturn%2Fglobex%3Fstate%3Dx',
  '/login',
  '/login?a=b//c&d=..\\..&e=%2e%2f%00&f={"g":[1]}|^`',
  '/login/step/2',
  '/assets/app.min.js',
  '/assets/a%20b.css',
  '/assets/%E2%9C%93/gr%C3%BC%C3%9Fe',
  '/assets/100%25/x',
  '/assets/a;v=1.2/b',
  '/assets/.hidden',
  '/assets/...',
  '/assets/a..b/c.',
  "/assets/a!$&'()*+,=:@|[]~_-",
];

const MALFORMED: readonly (readonly [what: string, targets: readonly string[]])[] = [
  ['not the origin-form', ['*', '', 'login', 'http://globex.login.acme.test/login', 'http://[::bad/', '?x', 'a:443']],
  ['a fragment', ['/login#x', '/login?a#b']],
  ['dot segments', ['/sso/.', '/sso/..', '/sso/./x', '/sso/../admin', '/login/../admin', '/..', '/.']],
  ['empty segments', ['//', '//evil.test/', '/sso//x', '/sso/x//']],
  ['escaped dots', ['/sso/%2e%2e/admin', '/sso/%2E./admin', '/sso/.%2e', '/sso/a%2ejs']],
  ['escaped slashes', ['/sso/..%2fadmin', '/sso/%2F', '/sso/a%5cb', '/sso/..%5Cadmin']],
  ['backslashes', ['/sso\\..\\admin', '\\\\evil.test', '/\\evil.test']],
  ['path parameters on dots', ['/sso/..;/admin', '/sso/.;x/y', '/sso/..;a=b', '/sso/..%3b/admin', '/sso/..%3B']],
  ['double escapes', ['/sso/%252e%252e/', '/sso/%252f', '/sso/%25%32%65', '/sso/%2500', '/sso/%25252e']],
  ['broken escapes', ['/sso/%', '/sso/%2', '/sso/%zz', '/sso/a%']],
  [
    'control characters',
    ['/sso/%00', '/sso/%0d%0aX: y', '/sso/%7f', '/sso/\tx', '/login?a\nb', '/login?a b', '/sso/\0'],
  ],
  ['overlong UTF-8', ['/sso/%c0%ae%c0%ae/admin', '/sso/%c0%af', '/sso/%e0%80%ae', '/sso/%f8%80%80%80%ae']],
  ['bytes that are not UTF-8', ['/sso/%ff', '/sso/%e4', '/sso/ä', '/login?ä']],
  ['look-alikes of dots and slashes', ['/sso/%EF%BC%8E%EF%BC%8E/x', '/sso/..%EF%BC%8Fx', '/sso/%E2%80%A5/x']],
];

const UNLISTED = [
  '/',
  '/sso',
  '/loginx',
  '/login;x',
  '/login.php',
  '/LOGIN',
  '/%6cogin',
  '/admin?/login',
  '/.wayhome',
  '/.wayhome/login',
  '/.wayhome/',
];

t.test('a listed path in its one spelling is passed on', async (t) => {
  for (const target of PASSED) t.equal(refuseTarget(target, PATHS), undefined, target);
});

t.test('a target that two servers could read differently is refused', async (t) => {
  for (const [what, targets] of MALFORMED) {
    for (const target of targets) t.equal(refuseTarget(target, PATHS), 'request_malformed', `${what}: ${target}`);
  }
});

t.test('what is not listed is not there', async (t) => {
  for (const target of UNLISTED) t.equal(refuseTarget(target, PATHS), 'address_unknown', target);
});

t.test('no list reaches the addresses of the router itself', async (t) => {
  for (const target of ['/.wayhome/login', '/.wayhome']) t.equal(refuseTarget(target, ['/']), 'address_unknown');
  t.equal(refuseTarget('/.wayhomes', ['/']), undefined);
});

t.test('a target beyond 16 KiB is too long', async (t) => {
  const expected: Reason = 'request_too_long';
  t.equal(refuseTarget(`/login?${'a'.repeat(16 * 1024)}`, PATHS), expected);
});

t.test('whatever passes stays below its prefix when it is read by URL, and however often it is decoded', async () => {
  const piece = fc.constantFrom(
    '.',
    '..',
    '/',
    '%2e',
    '%2f',
    '%5c',
    '%25',
    '2e',
    ';',
    '\\',
    'sso',
    'a',
    '%',
    '?',
    '%E2%80%A5',
  );
  const target = fc.array(piece, { maxLength: 12 }).map((pieces) => `/sso/${pieces.join('')}`);
  fc.assert(
    fc.property(target, (text) => {
      if (refuseTarget(text, PATHS) !== undefined) return true;
      let path = text.split('?', 1)[0] ?? '';
      for (let times = 0; times < 3; times++) {
        const read = new URL(path.replaceAll('\\', '/'), 'http://host.test').pathname;
        if (!read.startsWith('/sso/')) return false;
        try {
          path = decodeURIComponent(path).normalize('NFKC');
        } catch {
          return true;
        }
      }
      return true;
    }),
    { numRuns: 3000 },
  );
});
