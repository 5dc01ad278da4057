/**
 * Hostile requests to every built-in preset, derived from its own parameters: foreign and look-alike addresses, other
 * tenants, parameters that are missing, that stand twice, that are too long, that are spelled otherwise, or that are
 * ours. Whatever is answered, nothing leaves to another place than the golden cases', and no reader finds another token
 * than ours.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import jsonwebtoken from 'jsonwebtoken';
import t, { type Test } from 'tap';
import { type Reason, Refusal } from '../../../src/core/reason.ts';
import { builtInPresetNames } from '../../../src/portals/load.ts';
import { foldName } from '../../../src/portals/parameter-name.ts';
import type { Delivery } from '../../../src/portals/portal.ts';
import { besideToken } from '../../../src/portals/preset.ts';
import { type InboundParam, outerNames } from '../../../src/portals/preset-request.ts';
import { arrive, NOW, openGolden, type Parameters, SECRET, type Stage, searchFor } from './golden.ts';
import { FOREIGN_PATHS, lookAlikes, OPEN_REDIRECTS } from './hostile-values.ts';

const TOKEN = 'OUR.GOLDEN.TOKEN';

/** What becomes of a request: where the token goes, or the reason why it goes nowhere. */
type Outcome = Delivery | Reason;

function meetQuery(stage: Stage, query: string): Outcome {
  try {
    return stage.portal.deliver(arrive(stage, { what: '', query }), TOKEN);
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}

const meet = (stage: Stage, asks: Parameters): Outcome => meetQuery(stage, searchFor(stage, asks));
const reasonOf = (outcome: Outcome): string => (typeof outcome === 'string' ? outcome : 'accepted');

/** The parameters of the first golden case, a login that succeeds, with one of them changed or left out. */
const goodOf = ({ golden }: Stage): Parameters => golden.cases[0].asks ?? {};
const withParam = (stage: Stage, name: string, value: unknown): Parameters => ({ ...goodOf(stage), [name]: value });
const withoutParam = (stage: Stage, name: string): Parameters =>
  Object.fromEntries(Object.entries(goodOf(stage)).filter(([known]) => known !== name));

/** Origin and folder of every place that the golden cases send a token to. */
const placesOf = ({ golden }: Stage): string[] =>
  golden.cases.flatMap(({ to }) => (to === undefined ? [] : [folderOf(to)]));

const folderOf = (url: string): string => {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/[^/]*$/, '')}`;
};

/** Every name that a token of this preset may travel under. */
const carriersOf = ({ preset: { authn_response: rule } }: Stage): string[] =>
  [rule.token_param, rule.signature_param, rule.form_post_param].flatMap((name) => (name == null ? [] : [name]));

/** Throws unless nothing left, or it left to where it belongs, with our token alone. */
function assertSafe(stage: Stage, outcome: Outcome): void {
  if (typeof outcome === 'string') return;
  const to = outcome.mode === 'redirect' ? outcome.url : outcome.action;
  assert.ok(
    placesOf(stage).some((place) => folderOf(to).startsWith(place)),
    to,
  );
  assert.doesNotMatch(to, /[\s\\]/);
  if (stage.preset.token.format === 'jws') {
    const carried = outcome.mode === 'redirect' ? to : Object.values(outcome.fields).join();
    assert.equal(carried.split(TOKEN).length, 2, to);
  }
  const names = new URL(to).search
    .slice(1)
    .split(/[&;]/)
    .map((pair) => foldName(pair.split('=', 1)[0] ?? ''));
  for (const carrier of carriersOf(stage)) {
    const travelling = outcome.mode === 'redirect' ? 1 : 0;
    assert.ok(names.filter((name) => name === foldName(carrier)).length <= travelling, `${carrier}: ${to}`);
  }
}

/** `j%77t` for `jwt`: the same name to whoever decodes it. */
const escaped = (name: string): string => `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`;

for (const id of builtInPresetNames()) {
  const stage = openGolden(id);
  if (!stage) continue;
  const { preset, golden } = stage;
  const { encoding, params } = preset.authn_request;
  const search = golden.cases[0].query ?? searchFor(stage, goodOf(stage));

  t.test(`${preset.title}: nothing leaves to an unlisted place`, (t) => {
    const untouched = meetQuery(stage, search);
    t.equal(reasonOf(untouched), 'accepted', 'the login that is varied here succeeds');
    assertSafe(stage, untouched);
    for (const [name, param] of Object.entries(params)) {
      if (encoding === 'query') repeat(t, stage, name);
      if (param.required) leaveOut(t, stage, name, param);
      if (param.json) continue;
      overfill(t, stage, name, param);
      if (param.equals !== undefined) impersonate(t, stage, name);
      if (param.url?.kind === 'absolute') misdirect(t, stage, name);
      else if (param.url) leadAway(t, stage, name);
      if (param.role === 'redirect_uri') smuggle(t, stage, name);
      anything(t, stage, name);
    }
    // What Metabase writes without encoding goes on to the end, so nothing can stand behind it.
    if (golden.cases[0].query === undefined) bringOurs(t, stage, search, untouched);
    t.end();
  });

  if (encoding === 'signed_jwt') t.test(`${preset.title}: what it did not sign is nobody's`, (t) => forgeJwt(t, stage));
  if (encoding === 'discourse_connect')
    t.test(`${preset.title}: what it did not sign is nobody's`, (t) => forgeDiscourse(t, stage, search));
}

function repeat(t: Test, stage: Stage, name: string): void {
  const value = goodOf(stage)[name];
  const search = searchFor(stage, goodOf(stage));
  const written = [name, `${name}[]`, `${name}[0]`, name.toUpperCase(), escaped(name)];
  if (value !== undefined) {
    const twice = written.flatMap((other) =>
      [String(value), 'evil'].map((text) => `${other}=${encodeURIComponent(text)}`),
    );
    const reasons = twice.flatMap((more) =>
      [`${search}&${more}`, `${more}&${search}`].map((both) => reasonOf(meetQuery(stage, both))),
    );
    t.same(new Set(reasons), new Set(['request_parameter_duplicated']), `${name} twice, in any spelling`);
  }
  const alone = searchFor(stage, withoutParam(stage, name));
  for (const other of [
    `${name}[]=x`,
    `${name[0] === name[0]?.toUpperCase() ? name.toLowerCase() : name.toUpperCase()}=x`,
  ])
    t.equal(reasonOf(meetQuery(stage, `${alone}&${other}`)), 'request_malformed', `${name} as ${other}`);
}

function leaveOut(t: Test, stage: Stage, name: string, { role, json }: InboundParam): void {
  t.equal(reasonOf(meet(stage, withoutParam(stage, name))), 'request_parameter_missing', `no ${name}`);
  const empty = role === 'redirect_uri' ? 'redirect_uri_malformed' : 'request_parameter_missing';
  if (!json) t.equal(reasonOf(meet(stage, withParam(stage, name, ''))), empty, `an empty ${name}`);
}

function overfill(t: Test, stage: Stage, name: string, { url, max_length: max = 2_048 }: InboundParam): void {
  const start = url?.kind === 'absolute' ? `${goodOf(stage)[name]}?` : url?.kind === 'relative' ? '/' : '';
  const outcome = meet(stage, withParam(stage, name, start.padEnd(max + 1, 'a')));
  t.match(reasonOf(outcome), /^(?:request_malformed|redirect_uri_malformed)$/, `${name} of ${max + 1} characters`);
}

function impersonate(t: Test, stage: Stage, name: string): void {
  const good = String(goodOf(stage)[name]);
  for (const other of [
    'evil',
    'evil.test/#',
    '../evil',
    good.toUpperCase(),
    `${good}.evil.test`,
    `${good}@evil.test`,
    `${good}/`,
    `${good}#`,
    `${good} `,
    `${good}\u0000`,
  ]) {
    if (other !== good)
      t.match(
        reasonOf(meet(stage, withParam(stage, name, other))),
        /^request_(?:parameter_mismatch|malformed)$/,
        `${name}: another tenant`,
      );
  }
}

function misdirect(t: Test, stage: Stage, name: string): void {
  const payloads = [...lookAlikes(String(goodOf(stage)[name])), ...OPEN_REDIRECTS];
  const accepted = payloads.filter((url) => reasonOf(meet(stage, withParam(stage, name, url))) === 'accepted');
  t.same(accepted, [], `${name}: ${payloads.length} foreign and look-alike addresses`);
}

function leadAway(t: Test, stage: Stage, name: string): void {
  const reasons = FOREIGN_PATHS.map((path) => reasonOf(meet(stage, withParam(stage, name, path))));
  t.same(new Set(reasons), new Set(['request_malformed']), `${name}: paths that lead to other sites`);
  for (const url of OPEN_REDIRECTS) assertSafe(stage, meet(stage, withParam(stage, name, url)));
}

function smuggle(t: Test, stage: Stage, name: string): void {
  const url = String(goodOf(stage)[name]);
  const names = [...carriersOf(stage), ...besideToken(stage.preset, stage.preset.authn_response)];
  for (const reserved of names.flatMap((one) => [one, one.toUpperCase(), escaped(one), `${one}[]`])) {
    const outcome = meet(stage, withParam(stage, name, `${url}${url.includes('?') ? '&' : '?'}${reserved}=evil`));
    t.equal(reasonOf(outcome), 'redirect_uri_reserved_parameter', `${reserved} within ${name}`);
  }
}

function anything(t: Test, stage: Stage, name: string): void {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    fc.constantFrom(...OPEN_REDIRECTS, ...FOREIGN_PATHS),
    fc.constantFrom(...OPEN_REDIRECTS).map((url) => `${goodOf(stage)[name] ?? ''}${url}`),
  );
  const holds = fc.property(text, (value) => assertSafe(stage, meet(stage, withParam(stage, name, value))));
  fc.assert(holds, { numRuns: 100 });
  t.pass(`${name}: whatever it says`);
}

/** Parameters of the address that the portal does not send, those of our own answer among them. */
function bringOurs(t: Test, stage: Stage, search: string, untouched: Outcome): void {
  const { authn_request: request, authn_response: response } = stage.preset;
  const known = [...Object.keys(request.params), ...outerNames(request)].map(foldName);
  const names = [
    'access_token',
    'jwt',
    'sub',
    'redirect_uri',
    ...carriersOf(stage),
    ...besideToken(stage.preset, response),
  ];
  for (const name of names.filter((one) => !known.includes(foldName(one))))
    t.strictSame(meetQuery(stage, `${search}&${name}=https://evil.test/`), untouched, `${name} is not looked at`);
}

function forgeJwt(t: Test, stage: Stage): void {
  const { authn_request: request } = stage.preset;
  if (request.encoding !== 'signed_jwt') return;
  const claims = { iat: NOW, exp: NOW + 600, ...goodOf(stage) };
  const keyid = stage.golden.settings.client_id ?? '';
  const sign = (change: object, options: jsonwebtoken.SignOptions = {}, secret = SECRET) =>
    jsonwebtoken.sign({ ...claims, ...change }, secret, { algorithm: 'HS256', keyid, ...options });
  for (const [what, jwt, reason] of [
    ['another secret', sign({}, {}, 'x'.repeat(64)), 'jwt_invalid_signature'],
    ['no secret', sign({}, { algorithm: 'none' }, ''), 'jwt_malformed'],
    ['another algorithm', sign({}, { algorithm: 'HS512' }), 'jwt_algorithm_not_allowed'],
    ['another client', sign({}, { keyid: 'evil' }), 'request_parameter_mismatch'],
    ['an hour ago', sign({ iat: NOW - 3_600, exp: NOW - 3_000 }), 'jwt_expired'],
    ['for a year', sign({ exp: NOW + 31_536_000 }), 'jwt_lifetime_too_long'],
  ] as const)
    t.equal(reasonOf(meetQuery(stage, `${request.jwt_param}=${jwt}`)), reason, what);
  t.end();
}

function forgeDiscourse(t: Test, stage: Stage, search: string): void {
  const plain = new URLSearchParams(
    Object.entries(goodOf(stage)).map(([name, value]): [string, string] => [name, String(value)]),
  );
  for (const [what, query, reason] of [
    ['its payload changed', search.replace('sso=', 'sso=A'), 'jwt_invalid_signature'],
    ['its signature changed', search.replace(/.$/, (last) => (last === '0' ? '1' : '0')), 'jwt_invalid_signature'],
    ['its signature in capitals', search.replace(/[^=]+$/, (sig) => sig.toUpperCase()), 'jwt_invalid_signature'],
    ['no signature', search.replace(/&sig=.*$/, ''), 'request_parameter_missing'],
    ['plain parameters', plain.toString(), 'request_parameter_missing'],
  ] as const)
    t.equal(reasonOf(meetQuery(stage, query)), reason, what);
  t.end();
}
