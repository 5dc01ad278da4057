/** The words under which an environment is told behind the person's back. */
import t from 'tap';
import { accepted, checkText, faultsOf, GOOD, noticesOf, VARIABLES } from './routes-text.ts';

const withLogout = (logout: string, login = '') =>
  GOOD.replace(
    'secret: { env: EU }\n',
    `secret: { env: EU }\n${login === '' ? '' : `      ${login}\n`}    logout: ${logout}\n`,
  );

const check = (logout: string, login?: string) =>
  checkText(withLogout(logout, login), { variables: { ...VARIABLES, PULL: 'p'.repeat(32), SPACED: 'a b'.repeat(20) } });

t.test('what is written is what the environment is told by', (t) => {
  const receiverOf = (logout: string, login?: string) => {
    const outcome = check(logout, login);
    t.same(noticesOf(outcome), []);
    return accepted(outcome).routes.environments.get('eu' as never)?.receiver;
  };
  const url = 'https://eu.acme.com/backchannel-logout';
  t.same(receiverOf(`{ back: { url: "${url}" } }`), { by: 'push', url, audience: 'eu', algorithm: 'RS256' });
  t.same(receiverOf(`{ back: { url: "${url}", audience: "https://eu.acme.com", algorithm: EdDSA } }`), {
    by: 'push',
    url,
    audience: 'https://eu.acme.com',
    algorithm: 'EdDSA',
  });
  t.same(receiverOf('{ pull: { secret: { env: PULL }, algorithm: ES256 } }'), {
    by: 'pull',
    secret: Buffer.from('p'.repeat(32)),
    audience: 'eu',
    algorithm: 'ES256',
  });
  t.match(receiverOf('{ back: { url: "https://10.0.0.1/out" } }', 'allow_private: true'), { by: 'push' });
  t.equal(receiverOf('{ front: { url: "https://eu.acme.com/out", return_param: to } }'), undefined);
  t.end();
});

t.test('what cannot be is said with its place', (t) => {
  const rows: [logout: string, ...faults: [path: string, message: RegExp][]][] = [
    ['{ back: {} }', ['back.url', /missing/]],
    ['{ back: { url: "http://eu.acme.com/out" } }', ['back.url', /https/]],
    ['{ back: { url: "https://u:p@eu.acme.com/out" } }', ['back.url', /user name/]],
    ['{ back: { url: "https://10.0.0.1/out" } }', ['back.url', /private or loopback/]],
    ['{ back: { url: "https://eu.acme.com/out", algorithm: HS256 } }', ['back.algorithm', /HS256/]],
    ['{ back: { url: "https://eu.acme.com/out", audiences: x } }', ['back.audiences', /unknown key/]],
    ['{ pull: {} }', ['pull.secret', /missing/]],
    ['{ pull: { secret: { env: SHORT } } }', ['pull.secret', /31 bytes; it needs at least 32/]],
    ['{ pull: { secret: { env: SPACED } } }', ['pull.secret', /ASCII, without spaces/]],
    ['{ pull: { secret: { env: EU } } }', ['pull.secret', /the same secret as environments\.eu\.login\.secret/]],
    ['{ pull: { secret: { env: NOWHERE } } }', ['pull.secret.env', /not set/]],
    ['{ pull: { secret: "in the file, for everybody to read" } }', ['pull.secret', /must be \{ env/]],
    ['{ back: { url: "https://eu.acme.com/out" }, pull: { secret: { env: PULL } } }', ['pull', /stands beside back/]],
  ];
  for (const [logout, ...faults] of rows) {
    const found = faultsOf(check(logout));
    t.equal(found.length, faults.length, logout);
    for (const [index, [path, message]] of faults.entries()) {
      t.match(found[index], `environments.eu.logout.${path}: `, logout);
      t.match(found[index], message, logout);
    }
  }
  t.end();
});

t.test('the feed’s address is no portal’s', (t) => {
  for (const path of ['/logout-feed', '/logout-feed/us', '/logout-feed/us/ack'])
    t.match(faultsOf(checkText(GOOD.replace('login_path: /callback', `login_path: ${path}`))), [/the router itself/]);
  t.end();
});
