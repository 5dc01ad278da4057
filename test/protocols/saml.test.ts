import { inflateRawSync } from 'node:zlib';
import t from 'tap';
import { SignedXml } from 'xml-crypto';
import type { Reason } from '../../src/core/reason.ts';
import type { Departure } from '../../src/protocols/delegate.ts';
import { openSaml } from '../../src/protocols/saml/saml.ts';
import type { SamlSettings } from '../../src/protocols/saml/settings.ts';
import { NOW, refusesAll } from '../keys/tokens.ts';
import {
  ACS,
  type AssertionParts,
  assertionXml,
  at,
  attribute,
  audience,
  authn,
  bearer,
  CARRIED,
  EMAIL_FORMAT,
  ENTITY,
  encrypted,
  failure,
  goodResponse,
  IDP,
  NEXT_PROVIDER_KEYS,
  nameId,
  OUR_KEYS,
  openEnvironment,
  PROVIDER_KEYS,
  pairOf,
  posted,
  REQUEST,
  responseXml,
  SETTINGS,
  STRANGER_KEYS,
  signed,
} from '../support/saml/responses.ts';

const BEGIN = {
  ...CARRIED,
  state: () => 'long',
  shortState: (carry?: string) => {
    left.push(carry);
    return '0123456789';
  },
  portalReturn: () => undefined,
};
const left: (string | undefined)[] = [];

const arrives = (
  changes: Partial<AssertionParts>,
  reason: Reason | 'accepted',
  settings: Partial<SamlSettings> = {},
  now = NOW,
) => [() => openEnvironment(settings).arrive(goodResponse(changes), now), reason] as const;

const comes = (xml: string, reason: Reason | 'accepted', settings: Partial<SamlSettings> = {}) =>
  [() => openEnvironment(settings).arrive(xml), reason] as const;

const decode = (departure: Departure): string =>
  'url' in departure
    ? inflateRawSync(Buffer.from(new URL(departure.url).searchParams.get('SAMLRequest') ?? '', 'base64')).toString()
    : Buffer.from(departure.fields.SAMLRequest ?? '', 'base64').toString();

t.test('a login leaves by redirect with a signed AuthnRequest whose ID is carried', async (t) => {
  const provider = {
    ...SETTINGS.provider,
    signOn: { url: 'https://id.globex.test/sso?tenant=1', binding: 'redirect' } as const,
  };
  const { begin, stateParam } = openEnvironment({
    provider,
    forceAuthn: true,
    authnContexts: ['urn:a', 'urn:b'],
    nameIdFormat: EMAIL_FORMAT,
  });
  t.equal(stateParam, 'RelayState');
  const departure = (await begin(BEGIN, NOW)) as { url: string };
  const { searchParams } = new URL(departure.url);
  t.match(
    departure.url,
    /^https:\/\/id\.globex\.test\/sso\?tenant=1&SAMLRequest=[^&]+&RelayState=0123456789&SigAlg=[^&]+&Signature=/,
  );
  t.equal(searchParams.get('SigAlg'), 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256');
  t.equal(left.at(-1), REQUEST);
  const xml = decode(departure);
  for (const part of [
    `ID="${REQUEST}"`,
    'Destination="https://id.globex.test/sso?tenant=1"',
    `AssertionConsumerServiceURL="${ACS}"`,
    `<saml:Issuer>${ENTITY}</saml:Issuer>`,
    `IssueInstant="${at(NOW)}"`,
    'ForceAuthn="true"',
    `Format="${EMAIL_FORMAT}"`,
    'Comparison="exact"><saml:AuthnContextClassRef>urn:a</saml:AuthnContextClassRef><saml:AuthnContextClassRef>urn:b<',
  ]) {
    t.ok(xml.includes(part), part);
  }
});

t.test('a login leaves by POST with the signature in the message, and unsigned without a key', async (t) => {
  const provider = { ...SETTINGS.provider, signOn: { url: 'https://id.globex.test/sso', binding: 'post' } as const };
  const departure = (await openEnvironment({ provider }).begin(BEGIN, NOW)) as Departure & { action: string };
  t.match(departure, { action: 'https://id.globex.test/sso', fields: { RelayState: '0123456789' } });
  const xml = decode(departure);
  const checker = new SignedXml({ publicCert: OUR_KEYS.certificate });
  checker.loadSignature(/<ds:Signature[\s\S]*<\/ds:Signature>/.exec(xml)?.[0] ?? '');
  t.equal(checker.checkSignature(xml), true);
  t.match(checker.getSignedReferences()[0], /^<samlp:AuthnRequest/);

  const { signing: _, ...unsigned } = { ...SETTINGS, provider };
  const plain = (await openSaml(unsigned).begin(BEGIN, NOW)) as Departure;
  t.notMatch(decode(plain), /Signature|ForceAuthn|RequestedAuthnContext/);
});

t.test('an accepted response becomes an assertion of what was signed', async (t) => {
  const assertion = await openEnvironment().arrive(goodResponse());
  t.equal(assertion.environment, 'globex');
  t.match(assertion.claims, {
    email: 'ada@globex.test',
    mail: 'ada@globex.test',
    name: 'Ada Lovelace',
    name_id: 'ada-7',
  });
  t.equal(assertion.replayKey, 'saml/globex/assertion/_assertion-1');
  t.equal(assertion.acceptableUntil, NOW + 180);
  t.same(JSON.parse(assertion.session ?? ''), [
    'ada-7',
    'session-1',
    'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    0,
    ENTITY,
  ]);
});

t.test('base64 may hold line breaks, and the XML a declaration', async (t) => {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n${goodResponse()}`;
  const lines = Buffer.from(xml).toString('base64').replace(/.{76}/g, '$&\r\n');
  const { claims } = await openEnvironment().complete(new Map([['SAMLResponse', lines]]), CARRIED, NOW);
  t.equal(claims.email, 'ada@globex.test');
});

t.test('claims come from the attributes that the operator names, or from the usual ones', async (t) => {
  const uri = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress';
  const statement = (...attributes: readonly string[]) =>
    `<saml:AttributeStatement>${attributes.join('')}</saml:AttributeStatement>`;
  const rows: [string, Partial<AssertionParts>, Readonly<Record<string, unknown>>, [string, string[]][]?][] = [
    [
      'by OID',
      { attributes: statement(attribute('urn:oid:0.9.2342.19200300.100.1.3', 'a@g.test')) },
      { email: 'a@g.test' },
    ],
    ['by URI', { attributes: statement(attribute(uri, 'b@g.test')) }, { email: 'b@g.test' }],
    [
      'the NameID, where it is one',
      { attributes: '', nameId: nameId('c@g.test', EMAIL_FORMAT) },
      { email: 'c@g.test' },
    ],
    ['not a NameID of another format', { attributes: '', nameId: nameId('c@g.test') }, { email: undefined }],
    ['the operator’s word', {}, { email: 'ada-7' }, [['email', ['name_id']]]],
    ['mapped to nothing', {}, { email: undefined }, [['email', ['upn']]]],
    ['several values', { attributes: statement(attribute('groups', 'x', 'y')) }, { groups: ['x', 'y'] }],
    ['in pieces', { attributes: statement(attribute('g', 'x'), attribute('g', 'y')) }, { g: ['x', 'y'] }],
    ['the subject wins', { attributes: statement(attribute('name_id', 'root')) }, { name_id: 'ada-7' }],
    ['no value', { attributes: statement(attribute('name')) }, { name: undefined }],
    ['not text', { attributes: statement(attribute('name', '<b xmlns="urn:x">A</b>')) }, { name: undefined }],
    ['escaped', { attributes: statement(attribute('name', 'A &amp; &#66;')) }, { name: 'A & B' }],
    ['no prototype', { attributes: statement(attribute('__proto__', 'x')) }, { polluted: undefined }],
  ];
  for (const [what, parts, expected, mapping = []] of rows) {
    const { claims } = await openEnvironment({ attributes: new Map(mapping) }).arrive(goodResponse(parts));
    for (const [claim, value] of Object.entries(expected)) t.same(claims[claim], value, what);
  }
});

t.test('case 29: an assertion for somebody else, for another login or from somebody else is refused', (t) =>
  refusesAll(t, {
    'another Recipient': arrives({ confirmation: bearer({ Recipient: `${ACS}/` }) }, 'saml_recipient_mismatch'),
    'no Recipient': arrives({ confirmation: bearer({ Recipient: undefined }) }, 'saml_recipient_mismatch'),
    'another Audience': arrives({ audience: audience('https://other.test/') }, 'saml_audience_mismatch'),
    'ours among several': arrives({ audience: audience('https://other.test/', ENTITY) }, 'accepted'),
    'two restrictions, one not ours': arrives(
      { audience: `${audience(ENTITY)}${audience('https://other.test/')}` },
      'saml_audience_mismatch',
    ),
    'no AudienceRestriction': arrives({ audience: '' }, 'saml_audience_mismatch'),
    'an Audience of our own choosing': arrives({ audience: audience('urn:acme') }, 'accepted', {
      entityId: 'urn:acme',
    }),
    'another Issuer': arrives({ issuer: '<saml:Issuer>https://evil.test</saml:Issuer>' }, 'saml_issuer_mismatch'),
    'an Issuer of another format': arrives(
      { issuer: `<saml:Issuer Format="urn:x">${IDP}</saml:Issuer>` },
      'saml_issuer_mismatch',
    ),
    'another login’s InResponseTo': arrives(
      { confirmation: bearer({ InResponseTo: '_x' }) },
      'saml_in_response_to_mismatch',
    ),
    'no InResponseTo': arrives({ confirmation: bearer({ InResponseTo: undefined }) }, 'saml_in_response_to_mismatch'),
    'a second confirmation that is right': arrives(
      { confirmation: `${bearer({ Recipient: 'https://other.test/' })}${bearer()}` },
      'accepted',
    ),
    'no bearer': arrives({ confirmation: bearer().replace('cm:bearer', 'cm:sender-vouches') }, 'saml_malformed'),
    'no confirmation': arrives({ confirmation: '' }, 'saml_malformed'),
    'a condition that nobody knows': arrives({ audience: `${audience(ENTITY)}<saml:Condition/>` }, 'saml_malformed'),
    OneTimeUse: arrives({ audience: `${audience(ENTITY)}<saml:OneTimeUse/>` }, 'accepted'),
    'two of Conditions': arrives({ authn: `<saml:Conditions/>${authn()}` }, 'saml_malformed'),
    'SAML 1.1': [
      () => openEnvironment().arrive(responseXml(signed(assertionXml().replace('"2.0"', '"1.1"'), '_assertion-1'))),
      'saml_malformed',
    ],
    'no context at all': arrives(
      { authn: authn().replace(/<saml:AuthnContext>.*<\/saml:AuthnContext>/, '') },
      'saml_authn_context_mismatch',
      {
        authnContexts: ['urn:mfa'],
      },
    ),
    'no AuthnStatement': arrives({ authn: '' }, 'saml_malformed'),
    'another context': arrives({}, 'saml_authn_context_mismatch', { authnContexts: ['urn:mfa'] }),
    'the context asked for': arrives({ authn: authn('', 'urn:mfa') }, 'accepted', {
      authnContexts: ['urn:x', 'urn:mfa'],
    }),
  }),
);

t.test('times are judged by the instant handed in, a minute off at most', (t) =>
  refusesAll(t, {
    'confirmation over': arrives({ confirmation: bearer({ NotOnOrAfter: at(NOW - 60) }) }, 'saml_expired'),
    'confirmation over within the skew': arrives({ confirmation: bearer({ NotOnOrAfter: at(NOW - 59) }) }, 'accepted'),
    'confirmation without an end': arrives({ confirmation: bearer({ NotOnOrAfter: undefined }) }, 'saml_malformed'),
    'confirmation with NotBefore': arrives({ confirmation: bearer({ NotBefore: at(NOW) }) }, 'saml_malformed'),
    'a time without its zone': arrives(
      { confirmation: bearer({ NotOnOrAfter: '2030-01-01T00:00:00' }) },
      'saml_malformed',
    ),
    'no time at all': arrives({ confirmation: bearer({ NotOnOrAfter: 'tomorrow' }) }, 'saml_malformed'),
    'conditions over': arrives({ conditions: `NotOnOrAfter="${at(NOW - 60)}"` }, 'saml_expired'),
    'conditions to come': arrives(
      { conditions: `NotBefore="${at(NOW + 61)}" NotOnOrAfter="${at(NOW + 120)}"` },
      'saml_not_yet_valid',
    ),
    'conditions within the skew': arrives(
      { conditions: `NotBefore="${at(NOW + 60)}" NotOnOrAfter="${at(NOW + 120)}"` },
      'accepted',
    ),
    'conditions without times': arrives({ conditions: '' }, 'accepted'),
    'session over': arrives({ authn: authn(`SessionNotOnOrAfter="${at(NOW - 60)}"`) }, 'saml_expired'),
    'issued too long ago': arrives({ issueInstant: at(NOW - 361) }, 'saml_too_old'),
    'issued long ago': arrives({ issueInstant: at(NOW - 360) }, 'accepted'),
    'issued in the future': arrives({ issueInstant: at(NOW + 61) }, 'saml_not_yet_valid'),
    'issued with a fraction': arrives({ issueInstant: at(NOW).replace('Z', '.123Z') }, 'accepted'),
    'an hour later': arrives({}, 'saml_too_old', {}, NOW + 3600),
    'an hour before': arrives({}, 'saml_not_yet_valid', {}, NOW - 3600),
    'authenticated long ago': arrives({ authn: authn().replace(at(NOW), at(NOW - 3600)) }, 'accepted'),
    'authenticated long ago, where anew was asked': arrives(
      { authn: authn().replace(at(NOW), at(NOW - 3600)) },
      'saml_too_old',
      { forceAuthn: true },
    ),
  }),
);

t.test('how long an assertion could come again is never longer than it is young', async (t) => {
  const far = '9999-12-31T23:59:59Z';
  const { acceptableUntil } = await openEnvironment().arrive(
    goodResponse({ confirmation: bearer({ NotOnOrAfter: far }), conditions: `NotOnOrAfter="${far}"` }),
  );
  t.equal(acceptableUntil, NOW + 300 + 60);
});

t.test('the envelope has to be right too', (t) => {
  const assertion = signed(assertionXml(), '_assertion-1');
  const whole = (changes: Readonly<Record<string, string | undefined>>) =>
    signed(responseXml(assertionXml(), changes), '_message-1');
  return refusesAll(t, {
    'another Destination': comes(
      responseXml(assertion, { Destination: 'https://other.test/' }),
      'saml_destination_mismatch',
    ),
    'no Destination': comes(responseXml(assertion, { Destination: undefined }), 'accepted'),
    'no Destination, signed': comes(whole({ Destination: undefined }), 'saml_destination_mismatch', {
      signed: 'response',
    }),
    'another InResponseTo': comes(responseXml(assertion, { InResponseTo: '_other' }), 'saml_in_response_to_mismatch'),
    'no InResponseTo': comes(responseXml(assertion, { InResponseTo: undefined }), 'saml_in_response_to_mismatch'),
    'another Issuer': comes(responseXml(assertion, {}, { issuer: 'https://evil.test' }), 'saml_issuer_mismatch'),
    'no Issuer': comes(responseXml(assertion, {}, { issuer: '' }), 'accepted'),
    'too old': comes(responseXml(assertion, { IssueInstant: at(NOW - 400) }), 'saml_too_old'),
    'without IssueInstant': comes(responseXml(assertion, { IssueInstant: undefined }), 'saml_malformed'),
    'SAML 1.1': comes(responseXml(assertion, { Version: '1.1' }), 'saml_malformed'),
    'without ID': comes(responseXml(assertion, { ID: undefined }), 'saml_malformed'),
    'without an assertion': comes(responseXml(''), 'saml_malformed'),
    'an assertion alone': comes(assertion, 'saml_malformed'),
    'a login that made no request': [
      () =>
        openEnvironment().complete(
          posted('SAMLResponse', goodResponse()),
          { nonce: 'x', browser: CARRIED.browser },
          NOW,
        ),
      'saml_in_response_to_mismatch',
    ],
    'another login’s': [
      () => openEnvironment().arrive(goodResponse(), NOW, { ...CARRIED, carry: '_another' }),
      'saml_in_response_to_mismatch',
    ],
  });
});

t.test('an environment that signs nobody in says why', (t) => {
  const says = (reason: Reason, ...codes: readonly string[]) =>
    comes(responseXml('', {}, { status: failure(...codes) }), reason);
  return refusesAll(t, {
    cancelled: says('access_denied', 'Responder', 'AuthnFailed'),
    denied: says('access_denied', 'Requester', 'RequestDenied'),
    passive: says('login_required', 'Responder', 'NoPassive'),
    unknown: says('unknown_user', 'Responder', 'UnknownPrincipal'),
    unsupported: says('environment_error', 'Requester', 'NoAuthnContext'),
    'no second word': says('environment_error', 'Responder'),
    'a word of its own': comes(
      responseXml('', {}, { status: '<samlp:Status><samlp:StatusCode Value="urn:x"/></samlp:Status>' }),
      'environment_error',
    ),
    'no Status': comes(responseXml('', {}, { status: '' }), 'saml_malformed'),
    'a no with an assertion': comes(
      responseXml(signed(assertionXml(), '_assertion-1'), {}, { status: failure('Responder') }),
      'environment_error',
    ),
  });
});

t.test(
  'the signatures that the operator asks for have to be there, and every one that is there has to be right',
  (t) => {
    const inner = signed(assertionXml(), '_assertion-1');
    const both = signed(responseXml(inner), '_message-1');
    const outer = signed(responseXml(assertionXml()), '_message-1');
    const stranger = signed(assertionXml(), '_assertion-1', { keys: STRANGER_KEYS });
    return refusesAll(t, {
      'assertion: both': comes(both, 'accepted'),
      'assertion: only the response': comes(outer, 'saml_signature_missing'),
      'assertion: none': comes(responseXml(assertionXml()), 'saml_signature_missing'),
      'response: both': comes(both, 'accepted', { signed: 'response' }),
      'response: only the response': comes(outer, 'accepted', { signed: 'response' }),
      'response: only the assertion': comes(responseXml(inner), 'saml_signature_missing', { signed: 'response' }),
      'both: both': comes(both, 'accepted', { signed: 'both' }),
      'both: only the response': comes(outer, 'saml_signature_missing', { signed: 'both' }),
      'both: only the assertion': comes(responseXml(inner), 'saml_signature_missing', { signed: 'both' }),
      'a stranger’s': comes(responseXml(stranger), 'saml_signature_invalid'),
      'a stranger’s around ours': comes(
        signed(responseXml(inner), '_message-1', { keys: STRANGER_KEYS }),
        'saml_signature_invalid',
      ),
      'a stranger’s within ours': comes(signed(responseXml(stranger), '_message-1'), 'saml_signature_invalid', {
        signed: 'response',
      }),
      'changed afterwards': comes(goodResponse().replace('>ada-7<', '>eve-1<'), 'saml_signature_invalid'),
      'the envelope changed afterwards': comes(
        both.replace('<samlp:Status>', '<samlp:Extensions><x xmlns="urn:x"/></samlp:Extensions><samlp:Status>'),
        'saml_signature_invalid',
      ),
      'changed within the assertion of a signed response': comes(
        outer.replace('>ada-7<', '>eve-1<'),
        'saml_signature_invalid',
        {
          signed: 'response',
        },
      ),
    });
  },
);

t.test('two certificates stand side by side while the provider changes over', async (t) => {
  const certificates = [PROVIDER_KEYS.certificate, NEXT_PROVIDER_KEYS.certificate];
  const rollover = { provider: { ...SETTINGS.provider, certificates } };
  const next = responseXml(signed(assertionXml(), '_assertion-1', { keys: NEXT_PROVIDER_KEYS }));
  await refusesAll(t, {
    'the old one': comes(goodResponse(), 'accepted', rollover),
    'the next one': comes(next, 'accepted', rollover),
    'the next one too early': comes(next, 'saml_signature_invalid'),
    'a stranger’s': comes(
      responseXml(signed(assertionXml(), '_assertion-1', { keys: STRANGER_KEYS })),
      'saml_signature_invalid',
      rollover,
    ),
  });
});

t.test('encrypted assertions are decrypted, and then judged like others', async (t) => {
  const settings = { decryption: pairOf(OUR_KEYS) };
  const inner = signed(assertionXml(), '_assertion-1');
  const xenc = 'http://www.w3.org/2001/04/xmlenc#';
  const xenc11 = 'http://www.w3.org/2009/xmlenc11#';
  const by = async (data: string, key?: string) =>
    responseXml(await encrypted(inner, OUR_KEYS, { data, ...(key && { key }) }));
  const outer = signed(responseXml(await encrypted(assertionXml())), '_message-1');
  const of = async (assertion: string) => responseXml(await encrypted(assertion));
  await refusesAll(t, {
    'AES-256-GCM': comes(await by(`${xenc11}aes256-gcm`), 'accepted', settings),
    'AES-128-GCM': comes(await by(`${xenc11}aes128-gcm`), 'accepted', settings),
    'AES-256-CBC': comes(await by(`${xenc}aes256-cbc`), 'accepted', settings),
    'AES-128-CBC': comes(await by(`${xenc}aes128-cbc`), 'accepted', settings),
    'Triple DES': comes(await by(`${xenc}tripledes-cbc`), 'saml_algorithm_not_allowed', settings),
    'RSA 1.5': comes(await by(`${xenc11}aes256-gcm`, `${xenc}rsa-1_5`), 'saml_algorithm_not_allowed', settings),
    'inside a signed response': comes(outer, 'accepted', { ...settings, signed: 'response' }),
    'no key of ours': comes(await of(inner), 'saml_decryption_failed'),
    'to another key': comes(responseXml(await encrypted(inner, STRANGER_KEYS)), 'saml_decryption_failed', settings),
    'altered on its way': comes(
      (await of(inner)).replace(
        // Not the last one, some of whose bits may mean nothing.
        /([A-Za-z0-9+/])(.{8}<\/xenc:CipherValue>)(?![\s\S]*CipherValue>)/,
        (_, one, rest) => (one === 'A' ? 'B' : 'A') + rest,
      ),
      'saml_decryption_failed',
      settings,
    ),
    'RSA-OAEP with something else': comes(
      (await of(inner)).replace('xmldsig#sha1', 'xmldsig#md5'),
      'saml_algorithm_not_allowed',
      settings,
    ),
    'two cipher values': comes(
      (await of(inner)).replace(/<e:CipherValue>[^<]*<\/e:CipherValue>/, (one) => one + one),
      'saml_structure_refused',
      settings,
    ),
    'a key that lies elsewhere': comes(
      (await of(inner)).replace('<KeyInfo', '<RetrievalMethod URI="https://evil.test/"/><KeyInfo'),
      'saml_structure_refused',
      settings,
    ),
    'encrypted, and not signed': comes(await of(assertionXml()), 'saml_signature_missing', settings),
    'signed by a stranger': comes(
      await of(signed(assertionXml(), '_assertion-1', { keys: STRANGER_KEYS })),
      'saml_signature_invalid',
      settings,
    ),
    'SHA-1 inside': comes(
      await of(signed(assertionXml(), '_assertion-1', { digest: 'http://www.w3.org/2000/09/xmldsig#sha1' })),
      'saml_algorithm_not_allowed',
      settings,
    ),
    'wrapped inside': comes(
      await of(assertionXml({ id: '_evil' }).replace('</saml:Assertion>', `${inner}</saml:Assertion>`)),
      'saml_structure_refused',
      settings,
    ),
    'a comment inside': comes(await of(inner.replace('ada-7', 'ada<!---->-7')), 'saml_decryption_failed', settings),
    'not an assertion inside': comes(await of('<a/>'), 'saml_structure_refused', settings),
    'for somebody else': comes(
      await of(signed(assertionXml({ audience: audience('https://other.test') }), '_assertion-1')),
      'saml_audience_mismatch',
      settings,
    ),
    'beside a plain one': comes(
      responseXml(`${inner}${await encrypted(signed(assertionXml({ id: '_two' }), '_two'))}`),
      'saml_structure_refused',
      settings,
    ),
    'two of them': comes(
      responseXml(`${await encrypted(inner)}${await encrypted(signed(assertionXml({ id: '_two' }), '_two'))}`),
      'saml_structure_refused',
      settings,
    ),
  });
  const { claims } = await openEnvironment(settings).arrive(await of(inner));
  t.equal(claims.email, 'ada@globex.test');
});
