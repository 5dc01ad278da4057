/** The door itself: which requests it takes, what it says to others, and which pages may read that. */
import fc from 'fast-check';
import t from 'tap';
import { REASONS, type Reason, Refusal } from '../../src/core/reason.ts';
import { errorFor } from '../../src/http/exchange-answer.ts';
import type { Send } from '../support/browser.ts';
import { DOOR, fieldsOf, GRANT, JWT, notTraded, trade, traded } from '../support/exchange.ts';
import { leaksOf } from '../support/leaks.ts';
import { changedRoutes, environmentToken, openWorld } from '../support/world.ts';

const world = await openWorld(t);
const browser = world.browser();
const token = (claims: Record<string, unknown> = {}) => environmentToken('us', world.now, undefined, { claims });
const APP = 'https://us.acme.test';

t.test('a token is traded with the fields of RFC 8693, in whatever order and with others beside them', async (t) => {
  const { access_token, jwt, ...rest } = traded(t, await trade(browser, await token()));
  t.strictSame(rest, { issued_token_type: JWT, token_type: 'N_A', expires_in: 60 });
  t.equal(jwt, access_token);
  const fields = Object.entries(fieldsOf(await token())).reverse();
  const form = new URLSearchParams([...fields, ['requested_token_type', JWT], ['scope', 'x'], ['resource', '']]);
  traded(t, await browser.post(DOOR, form.toString()));
  traded(t, await browser.post(DOOR, { ...fieldsOf(await token()), client_id: 'app' }, { cookies: 'none' }));
});

t.test('every other request is refused in JSON, and uses nothing up', async (t) => {
  const subject = await token();
  const fields = fieldsOf(subject);
  const without = (name: string) => {
    const { [name]: _, ...rest } = fields;
    return { form: rest };
  };
  const changed = (change: Record<string, string>) => ({ form: { ...fields, ...change } });
  const form = new URLSearchParams(fields).toString();
  const rows: readonly (readonly [what: string, send: Send, reason: Reason, error?: string])[] = [
    ['nothing', { form: '' }, 'request_parameter_missing'],
    ['no grant_type', without('grant_type'), 'request_parameter_missing'],
    ['no subject_token', without('subject_token'), 'request_parameter_missing'],
    ['an empty subject_token', changed({ subject_token: '' }), 'request_parameter_missing'],
    ['no subject_token_type', without('subject_token_type'), 'request_parameter_missing'],
    ['no audience', without('audience'), 'request_parameter_missing'],
    [
      'another grant',
      changed({ grant_type: 'client_credentials' }),
      'grant_type_not_supported',
      'unsupported_grant_type',
    ],
    [
      'the grant in capitals',
      changed({ grant_type: GRANT.toUpperCase() }),
      'grant_type_not_supported',
      'unsupported_grant_type',
    ],
    [
      'an access token',
      changed({ subject_token_type: JWT.replace('jwt', 'access_token') }),
      'token_type_not_supported',
    ],
    [
      'a SAML assertion wanted',
      changed({ requested_token_type: JWT.replace('jwt', 'saml2') }),
      'token_type_not_supported',
    ],
    ['delegation', changed({ actor_token: 'x' }), 'request_malformed'],
    ['another target', changed({ resource: 'https://graph.usepylon.com' }), 'request_malformed'],
    ['an unknown portal', changed({ audience: 'nobody' }), 'sso_not_configured', 'invalid_target'],
    ['an object’s own name', changed({ audience: '__proto__' }), 'sso_not_configured', 'invalid_target'],
    [
      'the portal’s audience',
      changed({ audience: 'https://portal.usepylon.com' }),
      'sso_not_configured',
      'invalid_target',
    ],
    ['two audiences', { form: `${form}&audience=support` }, 'request_parameter_duplicated'],
    ['two tokens', { form: `${form}&subject_token[]=x` }, 'request_parameter_duplicated'],
    ['a broken escape', { form: `${form}&x=%` }, 'request_malformed'],
    ['no token', changed({ subject_token: 'x' }), 'jwt_malformed'],
    ['too much', { form: { ...fields, x: 'y'.repeat(70_000) } }, 'body_too_large'],
    [
      'JSON',
      { form: JSON.stringify(fields), headers: { 'content-type': 'application/json' } },
      'media_type_not_supported',
    ],
    [
      'multipart',
      { form: 'x', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
      'media_type_not_supported',
    ],
  ];
  for (const [what, send, reason, error] of rows) {
    await notTraded(t, world, what, reason, () => browser.send(DOOR, { method: 'POST', ...send }), error);
  }
  await notTraded(t, world, 'fields in the address', 'request_malformed', () => browser.post(`${DOOR}?${form}`, ''));
  await notTraded(t, world, 'a token in the address', 'request_malformed', () =>
    browser.post(`${DOOR}?subject_token=x`, without('subject_token').form),
  );
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
    const seen = await notTraded(t, world, method, 'method_not_allowed', () => browser.send(DOOR, { method }));
    t.equal(seen.headers.allow, 'POST');
  }
  const before = world.lines.length;
  for (const headers of [{ 'sec-purpose': 'prefetch' }, { purpose: 'preview' }])
    t.match(await browser.post(DOOR, fields, { headers }), { status: 204, body: '' });
  t.match(await browser.send(DOOR, { method: 'HEAD' }), { status: 204, body: '' });
  t.equal(world.lines.length, before);
  traded(t, await trade(browser, subject));
});

t.test('whatever is posted, the answer is JSON and no fault of ours', async () => {
  const name = fc.constantFrom(...Object.keys(fieldsOf('')), 'resource', 'x', 'subject_token[]', '__proto__');
  const value = fc.oneof(
    fc.constantFrom(GRANT, JWT, 'support', 'a.b.c', 'eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOnt9fQ.AA', '%00', '__proto__'),
    fc.string({ unit: 'binary', maxLength: 20 }).map(encoded),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 7 }), async (pairs) => {
      const seen = await browser.post(DOOR, pairs.map((pair) => pair.join('=')).join('&'));
      const { error, access_token } = JSON.parse(seen.body) as Record<string, string>;
      return seen.status >= 400 && seen.status < 500 && error !== undefined && access_token === undefined;
    }),
    { numRuns: 400 },
  );
});

/** Half of what is generated cannot be encoded; it then travels as it is. */
function encoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return '%ed%a0%80';
  }
}

t.test('each reason has a code of the standards and plain words in ASCII', (t) => {
  for (const reason of Object.keys(REASONS) as Reason[]) {
    const answer = errorFor(undefined, new Refusal(reason), '0123456789');
    const { error, error_description } = JSON.parse(answer.body ?? '') as Record<string, string>;
    const { status } = REASONS[reason];
    t.match(error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]{10,}$/, reason);
    const wanted =
      status === 503 || status === 429
        ? /^temporarily_unavailable$/
        : status >= 500
          ? /^server_error$/
          : /^(?:invalid_request|invalid_target|invalid_token|unsupported_grant_type)$/;
    t.match(error, wanted, reason);
  }
  t.end();
});

t.test('only pages of the app whose token it is can trade it and read the answer', async (t) => {
  const yes = await trade(browser, await token(), { origin: APP });
  traded(t, yes);
  t.match(yes.headers, { 'access-control-allow-origin': APP, vary: 'Origin' });
  t.equal(yes.headers['access-control-allow-credentials'], undefined);
  const asFetched = {
    headers: { 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'cross-site' },
  };
  traded(t, await trade(browser, await token(), { origin: APP, ...asFetched }));

  const kept = await token();
  const foreign = [
    'https://eu.acme.test',
    'https://evil.example',
    'http://us.acme.test',
    `${APP}:8443`,
    `${APP}/`,
    `${APP}.evil.example`,
    'https://US.acme.test',
    'null',
    '',
    `${APP}, ${APP}`,
  ];
  for (const origin of foreign) {
    const seen = await notTraded(t, world, `from ${origin}`, 'origin_not_allowed', () =>
      trade(browser, kept, { origin }),
    );
    t.equal(seen.headers['access-control-allow-origin'], undefined);
  }
  traded(t, await trade(browser, kept, { origin: APP }));

  const no = await notTraded(t, world, 'a no', 'jwt_replayed', () => trade(browser, kept, { origin: APP }));
  t.equal(no.headers['access-control-allow-origin'], APP, 'a page of the app can read why not');
});

t.test(
  'what is refused before it is known whose token it is, pages of every app can read, and no others',
  async (t) => {
    const json = { 'content-type': 'application/json' };
    const rows: readonly (readonly [what: string, send: Send, reason: Reason, error?: string])[] = [
      ['nothing', { form: '' }, 'request_parameter_missing'],
      ['an unknown portal', { form: fieldsOf('x', 'nobody') }, 'sso_not_configured', 'invalid_target'],
      ['no token', { form: fieldsOf('x') }, 'jwt_malformed'],
      ['nobody’s token', { form: fieldsOf(await token({ iss: 'nobody' })) }, 'jwt_issuer_mismatch'],
      ['too much', { form: { x: 'y'.repeat(70_000) } }, 'body_too_large'],
      ['JSON', { form: '{}', headers: json }, 'media_type_not_supported'],
      ['another method', { method: 'PUT' }, 'method_not_allowed'],
    ];
    const apps = [APP, 'https://eu.acme.test', 'https://acme.globex.example'];
    const others = [
      'https://evil.example',
      'https://login.acme.test',
      'http://us.acme.test',
      'null',
      '',
      '*',
      `${APP}/`,
    ];
    for (const [what, send, reason, error] of rows) {
      for (const origin of [...apps, ...others, undefined]) {
        const headers = { ...send.headers, ...(origin !== undefined && { origin }) };
        const { headers: said } = await notTraded(
          t,
          world,
          `${what} from ${origin}`,
          reason,
          () => browser.send(DOOR, { method: 'POST', ...send, headers }),
          error,
        );
        const readable = apps.find((app) => app === origin);
        t.equal(said['access-control-allow-origin'], readable, `${what} from ${origin}`);
        t.equal(said['access-control-allow-credentials'], undefined);
      }
    }
  },
);

t.test(
  'a preflight is answered to pages of the apps, and for nothing but a form or a body to be refused',
  async (t) => {
    const ask = (origin?: string) =>
      browser.send(DOOR, {
        method: 'OPTIONS',
        headers: { 'access-control-request-method': 'POST', ...(origin !== undefined && { origin }) },
      });
    for (const origin of [APP, 'https://eu.acme.test', 'https://acme.globex.example']) {
      const { status, headers } = await ask(origin);
      t.equal(status, 204);
      t.match(headers, {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'content-type',
        'access-control-max-age': '600',
        vary: 'Origin',
      });
      t.equal(headers['access-control-allow-credentials'], undefined);
    }
    for (const origin of [
      undefined,
      'https://evil.example',
      'null',
      'https://login.acme.test',
      'http://us.acme.test',
    ]) {
      const { status, headers } = await ask(origin);
      t.match({ status, vary: headers.vary }, { status: 204, vary: 'Origin' });
      t.notOk(
        Object.keys(headers).some((name) => name.startsWith('access-control-')),
        `${origin}`,
      );
    }
  },
);

t.test('rate_limit holds here too, in JSON', async (t) => {
  const limited = await openWorld(t, {
    routes: changedRoutes((routes) => Object.assign(routes, { rate_limit: { per_client: '1/m', burst: 1 } })),
  });
  const client = limited.browser();
  const subject = await environmentToken('us', limited.now, undefined);
  traded(t, await trade(client, subject));
  const seen = await notTraded(
    t,
    limited,
    'the second',
    'rate_limited',
    () => trade(client, subject, { origin: APP }),
    'temporarily_unavailable',
  );
  t.match(seen.headers['retry-after'], /^\d+$/);
  t.equal(seen.headers['access-control-allow-origin'], APP);
});

t.test('case 39: none of it was anywhere else', (t) => {
  t.same(leaksOf(world), []);
  t.end();
});
