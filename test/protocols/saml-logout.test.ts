import { inflateRawSync } from 'node:zlib';
import t from 'tap';
import type { Reason } from '../../src/core/reason.ts';
import type { Answer, Departure } from '../../src/protocols/delegate.ts';
import { openSaml } from '../../src/protocols/saml/saml.ts';
import type { SamlSettings } from '../../src/protocols/saml/settings.ts';
import { NOW, refusesAll } from '../keys/tokens.ts';
import {
  at,
  ENTITY,
  failure,
  goodResponse,
  IDP,
  messageXml,
  NEXT_PROVIDER_KEYS,
  nameId,
  openEnvironment,
  PROVIDER_KEYS,
  posted,
  redirected,
  SETTINGS,
  SLO,
  STRANGER_KEYS,
  SUCCESS,
  signed,
} from '../support/saml/responses.ts';

const RUN = '_run-1';
const DSIG = 'http://www.w3.org/2000/09/xmldsig#';

type Attributes = Readonly<Record<string, string | undefined>>;

const answerXml = (changes: Attributes = {}, { status = SUCCESS, issuer = IDP } = {}) =>
  messageXml('LogoutResponse', { Destination: SLO, InResponseTo: RUN, ...changes }, issuer, status);

const INDEX = '<samlp:SessionIndex>session-1</samlp:SessionIndex>';
const withNamespace = (xml: string) =>
  xml.replace('<saml:NameID', '<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"');
const requestXml = (changes: Attributes = {}, { who = `${nameId('ada-7')}${INDEX}`, issuer = IDP } = {}) =>
  messageXml('LogoutRequest', { Destination: SLO, NotOnOrAfter: at(NOW + 60), ...changes }, issuer, withNamespace(who));

function openLogout(changes: Partial<SamlSettings> = {}) {
  const { logout } = openEnvironment(changes);
  if (!logout?.receive) throw new Error('no logout');
  return { ...logout, receive: logout.receive };
}

const completes = (answer: Answer, reason: Reason | 'accepted', settings: Partial<SamlSettings> = {}) =>
  [async () => openLogout(settings).complete(answer, { carry: RUN }, NOW), reason] as const;
const receives = (answer: Answer, reason: Reason | 'accepted', settings: Partial<SamlSettings> = {}) =>
  [async () => openLogout(settings).receive(answer, NOW), reason] as const;

const decode = (departure: Departure | undefined): string => {
  if (!departure) return '';
  if ('fields' in departure) return Buffer.from(Object.values(departure.fields)[0] ?? '', 'base64').toString();
  const { searchParams } = new URL(departure.url);
  const value = searchParams.get('SAMLRequest') ?? searchParams.get('SAMLResponse') ?? '';
  return inflateRawSync(Buffer.from(value, 'base64')).toString();
};

t.test('there is a logout where both sides can sign it', async (t) => {
  const { signing: _, ...keyless } = SETTINGS;
  const { logout: __, ...serviceless } = SETTINGS.provider;
  t.ok(openSaml(SETTINGS).logout);
  t.equal(openSaml(keyless).logout, undefined);
  t.equal(openSaml({ ...SETTINGS, provider: serviceless }).logout, undefined);
  t.equal(openSaml({ ...SETTINGS, logout: false }).logout, undefined);
});

t.test('a sign-out leaves with whom the provider signed in, and carries the ID of its request', async (t) => {
  const { session = '' } = await openEnvironment().arrive(goodResponse({ nameId: nameId('a &lt;b&gt; &amp; c') }));
  for (const binding of ['redirect', 'post'] as const) {
    const logout = { url: 'https://id.globex.test/slo', binding, responseUrl: 'https://id.globex.test/slo-answer' };
    const { begin } = openLogout({ provider: { ...SETTINGS.provider, logout } });
    const carried: (string | undefined)[] = [];
    const shortState = (carry?: string) => {
      carried.push(carry);
      return '0123456789';
    };
    const departure = await begin({ session, state: shortState, shortState }, NOW);
    const xml = decode(departure);
    t.match(carried, [/^_[0-9a-f]{32}$/]);
    for (const part of [
      `ID="${carried[0]}"`,
      'Destination="https://id.globex.test/slo"',
      `<saml:Issuer>${ENTITY}</saml:Issuer>`,
      `SPNameQualifier="${ENTITY}">a &lt;b&gt; &amp; c</saml:NameID><samlp:SessionIndex>session-1</samlp:SessionIndex>`,
    ]) {
      t.ok(xml.includes(part), part);
    }
    t.match(
      departure,
      binding === 'post' ? { fields: { RelayState: '0123456789' } } : { url: /RelayState=0123456789&SigAlg=/ },
    );
    t.equal(xml.includes('<ds:Signature'), binding === 'post');
  }
});

t.test('there is nothing to leave with where the session is not of this protocol', async (t) => {
  const { begin } = openLogout();
  const shortState = () => '0123456789';
  for (const session of [undefined, '', '{}', 'null', '[1]', 'eyJ']) {
    const maker = { state: shortState, shortState, ...(session !== undefined && { session }) };
    t.equal(await begin(maker, NOW), undefined, session ?? 'none');
  }
});

t.test('the provider’s answer is believed when it is signed and meant for this sign-out', async (t) => {
  const lowerCase = (text: string) => encodeURIComponent(text).replace(/%../g, (one) => one.toLowerCase());
  const form = (text: string) => new URLSearchParams([['', text]]).toString().slice(1);
  const change = (changes: Attributes) => redirected('SAMLResponse', answerXml(), { changes });
  const of = (changes: Attributes, more = {}) => redirected('SAMLResponse', answerXml(changes, more));
  const both = [PROVIDER_KEYS.certificate, NEXT_PROVIDER_KEYS.certificate];
  await refusesAll(t, {
    redirect: completes(redirected('SAMLResponse', answerXml()), 'accepted'),
    'redirect, hex in small letters': completes(
      redirected('SAMLResponse', answerXml(), { encode: lowerCase }),
      'accepted',
    ),
    'redirect, as forms encode': completes(
      redirected('SAMLResponse', answerXml(), { encode: form, relayState: "a b~c'(d)*!" }),
      'accepted',
    ),
    'redirect, without RelayState': completes(
      redirected('SAMLResponse', answerXml(), { relayState: undefined }),
      'accepted',
    ),
    'redirect, rsa-sha512': completes(
      redirected('SAMLResponse', answerXml(), {
        algorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
        hash: 'sha512',
      }),
      'accepted',
    ),
    'redirect, the next certificate': completes(
      redirected('SAMLResponse', answerXml(), { keys: NEXT_PROVIDER_KEYS }),
      'accepted',
      { provider: { ...SETTINGS.provider, certificates: both } },
    ),
    post: completes(posted('SAMLResponse', signed(answerXml(), '_message-1')), 'accepted'),
    'redirect, SHA-1': completes(
      redirected('SAMLResponse', answerXml(), { algorithm: `${DSIG}rsa-sha1`, hash: 'sha1' }),
      'saml_algorithm_not_allowed',
    ),
    'redirect, MD5': completes(
      redirected('SAMLResponse', answerXml(), {
        algorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-md5',
        hash: 'md5',
      }),
      'saml_algorithm_not_allowed',
    ),
    'redirect, a stranger’s': completes(
      redirected('SAMLResponse', answerXml(), { keys: STRANGER_KEYS }),
      'saml_signature_invalid',
    ),
    'redirect, RelayState changed': completes(change({ RelayState: 'other' }), 'saml_signature_invalid'),
    'redirect, RelayState taken away': completes(change({ RelayState: undefined }), 'saml_signature_invalid'),
    'redirect, SigAlg changed': completes(
      change({ SigAlg: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512' }),
      'saml_signature_invalid',
    ),
    'redirect, SigAlg taken away': completes(change({ SigAlg: undefined }), 'saml_algorithm_not_allowed'),
    'redirect, Signature taken away': completes(change({ Signature: undefined }), 'saml_signature_missing'),
    'redirect, Signature empty': completes(change({ Signature: '' }), 'saml_signature_missing'),
    'redirect, unsigned': completes(change({ Signature: undefined, SigAlg: undefined }), 'saml_signature_missing'),
    'redirect, a bomb': completes(redirected('SAMLResponse', `<a>${' '.repeat(4_000_000)}</a>`), 'saml_malformed'),
    'post, unsigned': completes(posted('SAMLResponse', answerXml()), 'saml_signature_missing'),
    'post, a stranger’s': completes(
      posted('SAMLResponse', signed(answerXml(), '_message-1', { keys: STRANGER_KEYS })),
      'saml_signature_invalid',
    ),
    'post, changed': completes(
      posted('SAMLResponse', signed(answerXml({ InResponseTo: '_x' }), '_message-1').replace('"_x"', `"${RUN}"`)),
      'saml_signature_invalid',
    ),
    'post, SHA-1': completes(
      posted('SAMLResponse', signed(answerXml(), '_message-1', { digest: `${DSIG}sha1` })),
      'saml_algorithm_not_allowed',
    ),
    'post, wrapped': completes(
      posted(
        'SAMLResponse',
        answerXml({ ID: '_evil' }).replace(
          '<samlp:Status>',
          `<samlp:Extensions>${signed(answerXml(), '_message-1')}</samlp:Extensions><samlp:Status>`,
        ),
      ),
      'saml_structure_refused',
    ),
    'another request': completes(of({ InResponseTo: '_other' }), 'saml_in_response_to_mismatch'),
    'no request': completes(of({ InResponseTo: undefined }), 'saml_in_response_to_mismatch'),
    'another Destination': completes(of({ Destination: `${SLO}/` }), 'saml_destination_mismatch'),
    'no Destination': completes(of({ Destination: undefined }), 'saml_destination_mismatch'),
    'another Issuer': completes(of({}, { issuer: 'https://evil.test' }), 'saml_issuer_mismatch'),
    'no Issuer': completes(of({}, { issuer: '' }), 'saml_issuer_mismatch'),
    'too old': completes(of({ IssueInstant: at(NOW - 400) }), 'saml_too_old'),
    'not ended': completes(of({}, { status: failure('Responder') }), 'environment_error'),
    'partly ended': completes(of({}, { status: failure('Success', 'PartialLogout') }), 'environment_error'),
    'a login’s response': completes(
      redirected('SAMLResponse', messageXml('Response', { Destination: SLO, InResponseTo: RUN }, IDP, SUCCESS)),
      'saml_malformed',
    ),
    'a request': completes(redirected('SAMLResponse', requestXml()), 'saml_malformed'),
    nothing: completes(new Map(), 'saml_malformed'),
    'a sign-out that made no request': [
      async () => openLogout().complete(redirected('SAMLResponse', answerXml()), {}, NOW),
      'saml_in_response_to_mismatch',
    ],
  });
});

t.test('the provider’s request is believed when it is signed and meant for us', (t) => {
  const of = (changes: Attributes, more = {}) => redirected('SAMLRequest', requestXml(changes, more));
  return refusesAll(t, {
    redirect: receives(redirected('SAMLRequest', requestXml()), 'accepted'),
    post: receives(posted('SAMLRequest', signed(requestXml(), '_message-1')), 'accepted'),
    'without an end': receives(of({ NotOnOrAfter: undefined }), 'accepted'),
    over: receives(of({ NotOnOrAfter: at(NOW - 60) }), 'saml_expired'),
    'too old': receives(of({ IssueInstant: at(NOW - 400) }), 'saml_too_old'),
    'another Destination': receives(of({ Destination: 'https://other.test' }), 'saml_destination_mismatch'),
    'no Destination': receives(of({ Destination: undefined }), 'saml_destination_mismatch'),
    'another Issuer': receives(of({}, { issuer: 'https://evil.test' }), 'saml_issuer_mismatch'),
    'nobody named': receives(of({}, { who: INDEX }), 'saml_malformed'),
    'two named': receives(of({}, { who: `${nameId('ada-7')}${withNamespace(nameId('eve-1'))}` }), 'saml_malformed'),
    'a stranger’s': receives(
      redirected('SAMLRequest', requestXml(), { keys: STRANGER_KEYS }),
      'saml_signature_invalid',
    ),
    'unsigned by redirect': receives(
      redirected('SAMLRequest', requestXml(), { changes: { Signature: undefined, SigAlg: undefined } }),
      'saml_signature_missing',
    ),
    'unsigned by post': receives(posted('SAMLRequest', requestXml()), 'saml_signature_missing'),
    'a stranger’s by post': receives(
      posted('SAMLRequest', signed(requestXml(), '_message-1', { keys: STRANGER_KEYS })),
      'saml_signature_invalid',
    ),
    'a response as a request': receives(redirected('SAMLRequest', answerXml()), 'saml_malformed'),
  });
});

t.test('what is no request of the provider is left to others', async (t) => {
  t.equal(await openLogout().receive(redirected('SAMLResponse', answerXml()), NOW), undefined);
});

t.test('a request concerns the session of its person that it names, or all of them', async (t) => {
  const session = async (parts: Parameters<typeof goodResponse>[0]) =>
    (await openEnvironment().arrive(goodResponse(parts))).session ?? '';
  const ada = await session({});
  const eve = await session({ nameId: nameId('eve-1') });
  const otherFormat = await session({ nameId: nameId('ada-7', 'urn:other') });
  const rows: [string, string, string, boolean][] = [
    ['the session named', `${nameId('ada-7')}${INDEX}`, ada, true],
    ['one of several', `${nameId('ada-7')}<samlp:SessionIndex>x</samlp:SessionIndex>${INDEX}`, ada, true],
    ['all of the person’s', nameId('ada-7'), ada, true],
    ['without qualifiers', '<saml:NameID>ada-7</saml:NameID>', ada, true],
    ['another session', `${nameId('ada-7')}<samlp:SessionIndex>x</samlp:SessionIndex>`, ada, false],
    ['somebody else', `${nameId('ada-7')}${INDEX}`, eve, false],
    ['the name in another format', nameId('ada-7'), otherFormat, false],
    ['the name of another provider', nameId('ada-7').replace(ENTITY, 'https://other.test'), ada, false],
    ['no session of ours', nameId('ada-7'), 'id_token', false],
  ];
  for (const [what, who, text, expected] of rows) {
    const notice = await openLogout().receive(redirected('SAMLRequest', requestXml({}, { who })), NOW);
    t.equal(notice?.concerns(text), expected, what);
  }
});

t.test('the provider gets an answer to its request, with its RelayState', async (t) => {
  const relayState = 'their state/~!';
  for (const binding of ['redirect', 'post'] as const) {
    const logout = { url: 'https://id.globex.test/slo', binding, responseUrl: 'https://id.globex.test/slo-answer?x=1' };
    const { receive } = openLogout({ provider: { ...SETTINGS.provider, logout } });
    const notice = await receive(redirected('SAMLRequest', requestXml(), { relayState }), NOW);
    const reply = notice?.reply(true);
    const xml = decode(reply);
    t.match(
      xml,
      /^<samlp:LogoutResponse .*Destination="https:\/\/id\.globex\.test\/slo-answer\?x=1".* InResponseTo="_message-1"/,
    );
    t.match(xml, /status:Success"\/>/);
    t.match(decode(notice?.reply(false)), /status:Responder"><samlp:StatusCode Value="[^"]*:PartialLogout"/);
    if (!reply || 'fields' in reply) t.match(reply, { action: logout.responseUrl, fields: { RelayState: relayState } });
    else t.equal(new URL(reply.url).searchParams.get('RelayState'), relayState);
  }
  const long = redirected('SAMLRequest', requestXml(), { relayState: 'x'.repeat(81) });
  t.notMatch((await openLogout().receive(long, NOW))?.reply(true), /RelayState/);
});
