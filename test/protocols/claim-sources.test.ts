import fc from 'fast-check';
import t from 'tap';
import { type ClaimSources, mapClaims } from '../../src/protocols/claim-sources.ts';

const SAID = {
  email: 'ada@globex.test',
  upn: 'ada@corp.globex.test',
  name: null,
  realm: { roles: ['a', 'b'], tenant: { id: 'acc_1' } },
  'https://acme.test/account': 'acc_2',
  'a.b': 'with a dot',
  a: { b: 'inside' },
};

const sources = (from: Record<string, string[]>): ClaimSources => new Map(Object.entries(from));

t.test('a claim is taken from the first place that has it', async (t) => {
  const rows: readonly (readonly [places: string[], value: unknown])[] = [
    [['upn'], SAID.upn],
    [['upn', 'email'], SAID.upn],
    [['absent', 'upn'], SAID.upn],
    [['name', 'upn'], SAID.upn],
    [['realm.tenant.id'], 'acc_1'],
    [['realm.roles'], ['a', 'b']],
    [['realm.roles.1'], 'b'],
    [['https://acme.test/account'], 'acc_2'],
    [['a.b'], 'with a dot'],
    [['realm.absent.id'], undefined],
    [['email.length'], undefined],
    [['.realm'], undefined],
    [['realm.'], undefined],
    [[''], undefined],
    [['constructor'], undefined],
    [['realm.constructor.name'], undefined],
    [['__proto__'], undefined],
    [[], undefined],
  ];
  for (const [places, value] of rows)
    t.same(mapClaims(SAID, sources({ account_id: places })).account_id, value, places.join(' or ') || 'no place');
});

t.test('claims that are not mapped stand under their own names, and a mapping replaces', async (t) => {
  t.same({ ...mapClaims(SAID, sources({})) }, SAID);
  const mapped = mapClaims(SAID, sources({ email: ['absent'] }));
  t.notOk(Object.hasOwn(mapped, 'email'), 'an empty place is no reason to believe the old one');
  t.equal(mapped.upn, SAID.upn);
  const swapped = mapClaims(SAID, sources({ email: ['upn'], upn: ['email'] }));
  t.same([swapped.email, swapped.upn], [SAID.upn, SAID.email]);
});

t.test('a claim named __proto__ is a claim like any other', async (t) => {
  const said = JSON.parse('{"__proto__":{"role":"admin"}}');
  for (const claims of [mapClaims(said, sources({})), mapClaims(said, sources({ email: ['absent'] }))]) {
    t.equal(claims.role, undefined);
    t.ok(Object.hasOwn(claims, '__proto__'));
  }
});

t.test('no claims and no place make it fail', async () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (said, place) => {
      mapClaims(said, new Map([['email', [place]]]));
    }),
  );
});
