import { readFileSync } from 'node:fs';
import t from 'tap';
import { presetSchemaJson, routesSchemaJson } from '../../docs/generate-schema.ts';
import { builtInPreset } from '../../src/portals/load.ts';
import { accepted, checkText, faultsOf, GOOD, goodWith, noticesOf, refused, VARIABLES } from './routes-text.ts';

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');

t.test('a file with ten planted faults reports ten, each at its line and column', async (t) => {
  const variables = {
    PYLON_SHARED_SECRET: VARIABLES.PORTAL,
    US_HANDOFF_SECRET: VARIABLES.US,
    EU_HANDOFF_SECRET: VARIABLES.EU,
  };
  const problems = refused(checkText(read('ten-faults.yaml'), { variables }));
  t.strictSame(
    problems.map(({ line, column, path, severity }) => [line, column, path, severity]),
    [
      [1, 13, 'public_url', 'fault'],
      [2, 17, 'login_lifetime', 'fault'],
      [7, 13, 'portals.support.preset', 'fault'],
      [8, 17, 'portals.support.login_path', 'fault'],
      [11, 24, 'portals.support.environments[1]', 'fault'],
      [16, 5, 'environments.us.title', 'fault'],
      [23, 7, 'environments.us.login.secrt', 'fault'],
      [24, 34, 'environments.us.may_assert.email_domains', 'fault'],
      [25, 3, 'environments.eu.app_url', 'fault'],
      [37, 9, 'discovery[1].by', 'fault'],
    ],
  );
  const remedies = new Map(problems.map(({ path, remedy }) => [path, remedy]));
  t.match(remedies.get('portals.support.preset'), /Did you mean "pylon"\?/);
  t.match(remedies.get('portals.support.environments[1]'), /Did you mean "us"\?/);
  t.match(remedies.get('environments.us.login.secrt'), /Did you mean "secret"\? Known keys: protocol, url, issuer/);
  t.match(remedies.get('discovery[1].by'), /Did you mean "picker"\?/);
  t.notOk(
    problems.some(({ remedy }) => remedy === ''),
    'each has a remedy',
  );
});

t.test('the contract’s example has no fault but its undefined environment', async (t) => {
  const names = ['WAYHOME_SEAL_KEY', 'PYLON_SHARED_SECRET', 'US_HANDOFF_SECRET', 'GLOBEX_SECRET'];
  const unset = checkText(read('contract-example.yaml'));
  t.equal(
    faultsOf(unset).filter((text) => names.some((name) => text.includes(`${name} is not set`))).length,
    names.length,
  );

  const variables = Object.fromEntries(
    names.map((name, index) => [name, Buffer.alloc(32, index + 1).toString('base64url')]),
  );
  const outcome = checkText(read('contract-example.yaml'), { variables });
  t.strictSame(faultsOf(outcome), [
    'portals.support.environments[1]: there is no environment "eu"',
    'discovery[4].to: there is no environment "eu"',
  ]);
  t.strictSame(noticesOf(outcome), [
    'environments.us.may_assert.claims[0]: no portal’s preset carries name, so it is not sent (2 environments name it)',
    'environments.globex.sets.account_external_id: no portal’s preset carries account_external_id, so it is not sent',
  ]);
});

t.test('a good file becomes the checked tree, with its defaults', async (t) => {
  const { routes, notices } = accepted(checkText(GOOD));
  t.strictSame(notices, []);
  t.equal(routes.publicOrigin, 'https://login.acme.com');
  t.equal(routes.issuer, 'https://login.acme.com/');
  t.strictSame(routes.listen, { host: '0.0.0.0', port: 8080 });
  t.strictSame(routes.admin, { host: '127.0.0.1', port: 9090 });
  t.equal(routes.store, 'sqlite:data/wayhome.db');
  t.equal(routes.loginLifetime, 600);
  t.notOk('rateLimit' in routes, 'no limit unless set');
  t.strictSame(Object.entries(routes.logout), [
    ['then', 'app'],
    ['fanOut', 'origin'],
  ]);
  const [portal] = routes.portals.values();
  t.match(portal, { loginPath: '/callback', logoutPath: '/logout', metadataAtLoginPath: false });
  t.strictSame(portal?.signing, { algorithm: 'HS256', secret: Buffer.from(VARIABLES.PORTAL ?? '') });
  t.strictSame([...(portal?.settings.portal.environments ?? [])], ['us', 'eu'], 'all, in the order of the file');
  const [us] = routes.environments.values();
  t.match(us?.environment, {
    title: 'us',
    listed: true,
    disabled: false,
    mayAssert: { emailVerified: 'not_required' },
  });
  t.match(us?.login, {
    key: { kind: 'secret', algorithms: ['HS256'] },
    audience: { is: 'router' },
    nonce: 'echoed',
    jti: 'sent',
    maxLifetime: 300,
    unsolicited: 'refused',
  });
  t.strictSame(routes.routes.discovery.steps, [{ by: 'hint', params: ['env'] }, { by: 'picker' }]);
  const { byDomain } = routes.routes.discovery;
  t.strictSame(
    ['acme.com', 'acme.example', 'a.acme.com'].map((domain) => byDomain.get(domain)),
    [['us'], ['eu'], undefined],
  );
});

t.test('words of the file become values: durations, rates, ranges, rules, domains, secrets of files', async (t) => {
  const text = goodWith(
    [
      'discovery:',
      'rate_limit: { per_client: 600/m, burst: 5 }\nlisten: "[::1]:0"\nstore: "memory:"\ntrusted_proxies: [10.0.0.0/8]\nseal_keys: [{ file: seal.key }]\ndiscovery:',
    ],
    ['- by: hint', '- { by: rule, when: { host: A.acme.com, header: { name: CF-IPCountry, in: DE } }, to: eu }'],
    ['[acme.example]', '[BÜCHER.example]'],
    [
      'issuer: https://us',
      'audience: not_sent\n      nonce: not_echoed\n      jti: not_sent\n      max_lifetime: 10h\n      issuer: https://us',
    ],
  );
  const { routes, files } = accepted(checkText(text, { files: { 'seal.key': `${VARIABLES.SEAL}\r\n` } }));
  t.strictSame(routes.rateLimit, { perSecond: 10, burst: 5 });
  t.strictSame(routes.listen, { host: '::1', port: 0 });
  t.equal(routes.store, 'memory:');
  t.ok(routes.trustedProxies.check('10.1.2.3'));
  t.strictSame(routes.sealKeys, [Buffer.alloc(32, 7)], 'without the line break of the file');
  t.strictSame(files, ['routes.yaml', 'seal.key']);
  const [rule] = routes.routes.discovery.steps;
  t.strictSame(rule, {
    by: 'rule',
    when: { host: new Set(['a.acme.com']), header: { name: 'cf-ipcountry', in: new Set(['DE']) } },
    to: 'eu',
  });
  t.strictSame(routes.routes.discovery.byDomain.get('xn--bcher-kva.example'), ['eu']);
  const [us] = routes.environments.values();
  t.match(us?.login, { audience: { is: 'not_sent' }, nonce: 'not_echoed', jti: 'not_sent', maxLifetime: 36_000 });
});

t.test('insecure_development is refused where NODE_ENV is production', async (t) => {
  const text = goodWith(['portals:', 'insecure_development: true\nportals:']);
  t.strictSame(faultsOf(checkText(text, { variables: { NODE_ENV: 'production' } })), [
    'insecure_development: plain http is not for production',
  ]);
  t.ok(checkText(text, { variables: { NODE_ENV: 'test' } }).ok);
});

t.test('notices do not make a file invalid', async (t) => {
  const rows = [
    [
      '  - by: picker',
      '  - { by: default, to: us }\n  - by: source',
      'discovery[2]: whenever this step could answer, an earlier one answers first',
    ],
    ['  - by: picker\n', '', 'discovery: a person whom no step recognises is refused'],
    [
      '[account_id]',
      '[account_id, name]',
      'environments.us.may_assert.claims[1]: no portal’s preset carries name, so it is not sent',
    ],
  ] as const;
  for (const [from, to, notice] of rows) {
    const outcome = checkText(goodWith([from, to]));
    t.ok(outcome.ok);
    t.strictSame(noticesOf(outcome), [notice]);
  }
});

t.test('what a portal insists on and an environment may not say is told once, with what to add', async (t) => {
  const forum = (preset: string, settings: string, more = '') =>
    `portals:
  forum:
    preset: ${preset}
    login_path: /forum
    settings: ${settings}
    signing: { algorithm: HS256, secret: { env: OTHER } }${more}
`;
  const canny = forum('canny', '{ subdomain: acme, company_id: "5f1c0a2b3d4e5f6071829304" }');
  const uservoice = forum('uservoice', '{ subdomain: acme }');
  const only = (names: string) => canny.replace(/\n$/, `\n    environments: [${names}]\n`);
  const [us, eu] = ['[acme.com], claims: [account_id]', '[acme.example], claims: [account_id]'];
  const claims = (domain: string, list: string, more = '') => `[${domain}], claims: [account_id, ${list}]${more}`;
  const GRANTED = ', grants: [id]';
  const NAME = 'may not assert name, without which forum (Canny) takes nobody';
  const ID = 'may not assert id, without which forum (UserVoice) takes nobody';
  const rows: readonly (readonly [what: string, portal: string, changes: [string, string][], ...notices: string[]])[] =
    [
      ['nobody may', canny, [], `environments.us.may_assert.claims: ${NAME} (2 environments may not)`],
      ['one may', canny, [[us, claims('acme.com', 'name')]], `environments.eu.may_assert.claims: ${NAME}`],
      [
        'both may',
        canny,
        [
          [us, claims('acme.com', 'name')],
          [eu, claims('acme.example', 'name')],
        ],
      ],
      ['the one that is offered may', only('us'), [[us, claims('acme.com', 'name')]]],
      ['the one that is offered may not', only('eu'), [], `environments.eu.may_assert.claims: ${NAME}`],
      ['it is set', only('us'), [['app_url: https://us', 'sets: { name: Ada }\n    app_url: https://us']]],
      ['it asserts nothing', only('us'), [[us, '[acme.com]']], `environments.us.may_assert: ${NAME}`],
      ['it is disabled', only('us'), [['app_url: https://us', 'disabled: true\n    app_url: https://us']]],
      [
        'without the grant, for a claim that needs one',
        uservoice,
        [
          [us, claims('acme.com', 'id')],
          [eu, claims('acme.example', 'id', GRANTED)],
        ],
        `environments.us.may_assert.claims: ${ID}`,
      ],
      [
        'with it',
        uservoice,
        [
          [us, claims('acme.com', 'id', GRANTED)],
          [eu, claims('acme.example', 'id', GRANTED)],
        ],
      ],
    ];
  for (const [what, portal, changes, ...notices] of rows) {
    const outcome = checkText(goodWith(['portals:\n', portal], ...changes));
    accepted(outcome);
    t.strictSame(noticesOf(outcome), notices, what);
  }
});

t.test('a portal’s claims may be what environments call otherwise, with the same rules', async (t) => {
  const forum = (preset: string, claims: string) => `portals:
  forum:
    preset: ${preset}
    login_path: /forum
    settings: ${preset === 'canny' ? '{ subdomain: acme, company_id: a1 }' : '{ subdomain: acme }'}
    signing: { algorithm: HS256, secret: { env: OTHER } }
    claims: { ${claims} }
`;
  const withClaims = (preset: string, claims: string, may: string) =>
    checkText(goodWith(['portals:\n', forum(preset, claims)], ['[acme.com], claims: [account_id]', may]));
  const told = accepted(withClaims('canny', 'name: given_name', '[acme.com], claims: [account_id, given_name]'));
  const forumPreset = [...told.routes.portals.values()].find(({ loginPath }) => loginPath === '/forum')?.preset;
  t.match(forumPreset?.token.claims.name, { from: 'user.given_name', required: true });
  t.match(forumPreset?.token.claims.avatarURL, { from: 'user.avatarURL' }, 'the others stay');
  t.strictSame(
    told.notices.map(({ message }) => message),
    ['may not assert given_name, without which forum (Canny) takes nobody'],
    'the other environment',
  );
  t.match(builtInPreset('canny')?.token.claims.name, { from: 'user.name' }, 'no other portal is touched');

  const rows: readonly (readonly [claims: string, path: string, message: RegExp])[] = [
    ['nickname: nick', 'claims.nickname', /Canny is sent no claim nickname; there is id, name,/],
    ['email: mail', 'claims.email', /not what environments say/],
    ['iat: iat', 'claims.iat', /not what environments say/],
    ['name: email', 'claims.name', /not email/],
    ['name: "a b"', 'claims.name', /must be the name of a claim/],
    ['name: id', 'claims.name', /user.id is privileged in id/],
    ['id: name', 'claims', /user.name is privileged in id/],
  ];
  for (const [claims, path, message] of rows) {
    const [fault = '', ...others] = faultsOf(withClaims('canny', claims, '[acme.com], claims: [account_id]'));
    t.ok(fault.startsWith(`portals.forum.${path}: `), `${claims}: ${fault}`);
    t.match(fault, message, claims);
    t.strictSame(others, [], claims);
  }
});

t.test('a preset file’s problems stand at their own place', async (t) => {
  const text = goodWith(['preset: pylon', 'preset: presets/own.yaml']);
  const own = readFileSync(new URL('../../src/portals/presets/pylon.yaml', import.meta.url), 'utf8');
  t.ok(checkText(text, { files: { 'presets/own.yaml': own } }).ok);
  const broken = own.replace('format: jws', 'fromat: jws');
  const problems = refused(checkText(text, { files: { 'presets/own.yaml': broken } }));
  const line = broken.split('\n').findIndex((content) => content.includes('fromat')) + 1;
  t.strictSame(
    problems.map(({ file, line, column, path }) => [file, line, column, path]),
    [['presets/own.yaml', line, 3, 'token.fromat']],
  );
  t.match(problems[0]?.remedy, /Did you mean "format"\?/);
});

t.test('the shipped JSON Schemas are those of the code', async (t) => {
  t.equal(readFileSync(new URL('../../routes.schema.json', import.meta.url), 'utf8'), routesSchemaJson());
  t.equal(readFileSync(new URL('../../preset.schema.json', import.meta.url), 'utf8'), presetSchemaJson());
});
