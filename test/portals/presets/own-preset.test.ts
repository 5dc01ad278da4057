/** A portal that is not built in: one YAML file beside routes.yaml, and no code. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt, jwtVerify } from 'jose';
import t from 'tap';
import { checkPresetFile } from '../../../src/config/preset-rules.ts';
import { builtInPresetNames } from '../../../src/portals/load.ts';
import { denied } from '../../support/denied.ts';
import { trade, traded } from '../../support/exchange.ts';
import { changedRoutes, comeBack, environmentToken, openWorld, temporaryFolder } from '../../support/world.ts';

/** A product that nobody has heard of: a tenant and a page come in, the token is posted beside what came in. */
const PARCEL_DESK = `
schema: 1
id: parcel_desk
title: Parcel Desk
sources:
  - { url: 'https://parceldesk.test/docs/sso', evidence: vendor-doc, seen: 2026-11 }
setup:
  - 'Settings → Sign-in: paste {login_url}.'
config:
  desk: { label: Name of the desk, pattern: '[a-z]+', required: true, example: acme }
authn_request:
  encoding: query
  params:
    desk: { role: tenant, required: true, equals: '{config.desk}' }
    ticket: { role: replay_key, required: true, max_length: 40 }
    page: { role: return_to, url: { kind: relative } }
token:
  format: jws
  algs: [HS512]
  keys: { HS: { encoding: base64, min_bytes: 48, publish: shared } }
  claims:
    ticket: { from: request.ticket, required: true }
    issued: { from: time.iat, unit: ms, required: true }
    exp: { from: time.exp, required: true }
    who:
      required: true
      claims:
        email: { from: user.email, required: true }
        name: { from: user.name }
        rank: { from: user.rank, enum: [guest, chief], default: guest, privileged: [chief] }
  lifetime: { default: 45, max: 90 }
  replay: request_key
authn_response:
  mode: form_post
  token_param: parcel
  target: { url: 'https://{config.desk}.parceldesk.test/in' }
  params: { page: request.page }
unsolicited: false
traded:
  claims: { ticket: { from: random.uuid, required: true } }
  replay: none
`;

const SECRET = Buffer.from('canary-parcel-desk-secret-0123456789abcdef0123456789abcdef0123456789');

t.test('a login runs through a portal whose preset is a file of the operator’s', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'parcel-desk.yaml'), PARCEL_DESK);
  const world = await openWorld(t, {
    file: join(folder, 'routes.yaml'),
    variables: {
      PARCEL_SECRET: SECRET.toString('base64'),
      RENAMED_SECRET: Buffer.from(SECRET).reverse().toString('base64'),
    },
    routes: changedRoutes(({ portals, environments: { us } }) => {
      portals.desk = {
        preset: './parcel-desk.yaml',
        login_path: '/desk',
        settings: { desk: 'acme' },
        signing: { algorithm: 'HS512', secret: { env: 'PARCEL_SECRET' } },
      };
      portals.renamed = {
        ...portals.desk,
        login_path: '/renamed',
        signing: { algorithm: 'HS512', secret: { env: 'RENAMED_SECRET' } },
        claims: { 'who.name': 'full_name', 'who.rank': 'grade' },
      };
      if (us)
        us.may_assert = { email_domains: 'any', claims: ['name', 'rank', 'full_name', 'grade'], grants: ['grade'] };
    }),
  });
  const browser = world.browser();
  const person = { claims: { name: 'Ada & Co', rank: 'chief', full_name: 'Ada Fields', grade: 'chief' } };
  const seen = await comeBack(world, browser, 'us', person, '/desk?desk=acme&ticket=T-1&page=%2Fa%3Fb%3Dc&env=us');

  t.equal(seen.status, 200);
  t.match(seen.body, '<form method="post" action="https://acme.parceldesk.test/in?page=%2Fa%3Fb%3Dc">');
  const [, token = ''] = /<input type="hidden" name="parcel" value="([^"]+)">/.exec(seen.body) ?? [];
  const { payload, protectedHeader } = await jwtVerify(token, SECRET, { currentDate: new Date(world.now * 1000) });
  t.strictSame(protectedHeader, { alg: 'HS512', typ: 'JWT' });
  t.strictSame(payload, {
    ticket: 'T-1',
    issued: world.now * 1000,
    exp: world.now + 45,
    who: { email: 'ada@acme.test', name: 'Ada & Co', rank: 'guest' },
  });

  await denied(t, world, 'another desk', 'request_parameter_mismatch', () => browser.get('/desk?desk=evil&ticket=T'));
  await denied(t, world, 'another site', 'request_malformed', () =>
    browser.get('/desk?desk=acme&ticket=T&page=//evil.test'),
  );
  await denied(t, world, 'no ticket', 'request_parameter_missing', () => browser.get('/desk?desk=acme'));
  const subject = await environmentToken('us', world.now, undefined, person);
  const { jwt } = traded(t, await trade(browser, subject, { audience: 'desk' }));
  t.match(
    (await jwtVerify(jwt, SECRET, { currentDate: new Date(world.now * 1000) })).payload.ticket,
    /^[0-9a-f-]{36}$/,
  );

  const again = await environmentToken('us', world.now, undefined, person);
  const renamed = decodeJwt(traded(t, await trade(browser, again, { audience: 'renamed' })).jwt);
  const who = { email: 'ada@acme.test', name: 'Ada Fields', rank: 'chief' };
  t.strictSame(renamed.who, who, 'what environments call otherwise; granted is grade, and rank is not');
});

t.test('a slip in that file is a fault of the routes, at its own line', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'parcel-desk.yaml');
  writeFileSync(file, PARCEL_DESK.replace('replay: request_key', 'replay: request_kex'));
  const routes = changedRoutes(({ portals }) => {
    portals.desk = { preset: './parcel-desk.yaml', login_path: '/desk', settings: { desk: 'acme' } };
  });
  await t.rejects(openWorld(t, { file: join(folder, 'routes.yaml'), routes }), {
    message: /parcel-desk\.yaml:32:11 token\.replay: "request_kex" is not known here\. Did you mean "request_key"/,
  });
});

t.test('every built-in preset can be copied and changed: its file is checked as one’s own is', (t) => {
  for (const name of builtInPresetNames()) {
    const file = new URL(`../../../src/portals/presets/${name}.yaml`, import.meta.url);
    t.same(checkPresetFile(`${name}.yaml`, readFileSync(file, 'utf8')).problems, [], name);
  }
  t.end();
});
