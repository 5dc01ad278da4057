import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { parseIdpMetadata } from '../../src/protocols/saml/idp-metadata.ts';
import { openSaml } from '../../src/protocols/saml/saml.ts';
import { parseXml } from '../../src/protocols/saml/xml-tree.ts';
import { selfSigned } from '../config/self-signed.ts';
import { NOW } from '../keys/tokens.ts';
import {
  ACS,
  at,
  EMAIL_FORMAT,
  ENTITY,
  IDP,
  NEXT_PROVIDER_KEYS,
  OUR_KEYS,
  PROVIDER_KEYS,
  pairOf,
  SETTINGS,
  SLO,
} from '../support/saml/responses.ts';

const SAML2 = 'urn:oasis:names:tc:SAML:2.0:protocol';
const BINDING = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-';

const base64 = (pem: string) => pem.replace(/-----[^-]+-----/g, '').trim();
const key = (pem: string, use = 'use="signing"') =>
  `<KeyDescriptor ${use}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n${base64(pem)}\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>`;
const endpoint = (name: string, binding: string, at: string, more = '') =>
  `<${name} Binding="${BINDING}${binding}" Location="${at}" ${more}/>`;

const PARTS = {
  head: '<?xml version="1.0"?>\n',
  validUntil: '',
  entityId: IDP,
  protocols: `urn:oasis:names:tc:SAML:1.1:protocol ${SAML2}`,
  keys: key(PROVIDER_KEYS.certificate),
  logout: endpoint(
    'SingleLogoutService',
    'Redirect',
    'https://id.globex.test/slo',
    'ResponseLocation="https://id.globex.test/slo-answer"',
  ),
  signOn:
    endpoint('SingleSignOnService', 'POST', 'https://id.globex.test/post') +
    endpoint('SingleSignOnService', 'Redirect', 'https://id.globex.test/sso'),
};
const role = ({ protocols, keys, logout, signOn }: typeof PARTS) =>
  `<IDPSSODescriptor protocolSupportEnumeration="${protocols}">${keys}${logout}${signOn}</IDPSSODescriptor>`;
function entity(changes: Partial<typeof PARTS> = {}, roles?: string): string {
  const parts = { ...PARTS, ...changes };
  return `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="${parts.entityId}" ${parts.validUntil}>${roles ?? role(parts)}</EntityDescriptor>`;
}
const entities = (...inner: readonly string[]) =>
  `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">${inner.join('')}</md:EntitiesDescriptor>`;

t.test('metadata says who the provider is, where it is, and what it signs with', async (t) => {
  const expected = {
    ok: true,
    provider: {
      entityId: IDP,
      signOn: { url: 'https://id.globex.test/sso', binding: 'redirect' },
      logout: {
        url: 'https://id.globex.test/slo',
        binding: 'redirect',
        responseUrl: 'https://id.globex.test/slo-answer',
      },
    },
    notices: [],
  };
  const spellings: Readonly<Record<string, string>> = {
    'one entity': entity(),
    'with a byte order mark, a declaration and comments': `\ufeff<?xml version="1.0" encoding="utf-8"?>\n<!-- ours & theirs -->${entity()}<?x y?>`,
    'one of several entities': entities(entity({}, '<SPSSODescriptor/>'), entity()),
    deeper: entities(entities(entity())),
  };
  for (const [what, xml] of Object.entries(spellings)) {
    const parsed = parseIdpMetadata(xml, NOW);
    t.match(parsed, expected, what);
    t.ok(
      parsed.ok &&
        parsed.provider.certificates.length === 1 &&
        parsed.provider.certificates[0]?.replace(/\s/g, '') === PROVIDER_KEYS.certificate.replace(/\s/g, ''),
    );
  }
});

t.test('two certificates, and those without a use, are for signing', async (t) => {
  const both = `${key(PROVIDER_KEYS.certificate)}${key(NEXT_PROVIDER_KEYS.certificate, '')}${key(OUR_KEYS.certificate, 'use="encryption"')}${key(PROVIDER_KEYS.certificate, '')}`;
  const parsed = parseIdpMetadata(entity({ keys: both }), NOW);
  t.equal(parsed.ok && parsed.provider.certificates.length, 2);
});

t.test('POST is used where there is no redirect, and no logout where there is none', async (t) => {
  const parsed = parseIdpMetadata(
    entity({
      signOn: endpoint('SingleSignOnService', 'POST', 'https://id.globex.test/post'),
      logout: endpoint('SingleLogoutService', 'SOAP', 'https://x.test'),
    }),
    NOW,
  );
  t.match(parsed, { provider: { signOn: { url: 'https://id.globex.test/post', binding: 'post' }, logout: undefined } });
});

t.test('what is worth knowing is said, and refuses nothing', async (t) => {
  const old = selfSigned({ from: '20200101000000Z', to: '20210101000000Z' });
  const small = selfSigned({ pair: generateKeyPairSync('rsa', { modulusLength: 1024 }) });
  const curve = selfSigned({ pair: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }) });
  const rows: [string, string, RegExp | undefined][] = [
    ['valid for long', entity({ validUntil: `validUntil="${at(NOW + 30 * 86_400)}"` }), undefined],
    ['valid for a week', entity({ validUntil: `validUntil="${at(NOW + 7 * 86_400)}"` }), /^it is valid until 20/],
    ['an old certificate', entity({ keys: key(old.certificate) }), /expired on 2021-01-01/],
    [
      'a small key beside a good one',
      entity({ keys: key(small.certificate) + key(PROVIDER_KEYS.certificate) }),
      /1024 bits/,
    ],
    ['a curve beside a good one', entity({ keys: key(curve.certificate) + key(PROVIDER_KEYS.certificate) }), /RSA/],
    ['rubbish beside a good one', entity({ keys: key('AAAA') + key(PROVIDER_KEYS.certificate) }), /cannot be read/],
  ];
  for (const [what, xml, notice] of rows) {
    const parsed = parseIdpMetadata(xml, NOW);
    if (!parsed.ok) t.fail(`${what}: ${parsed.message}`);
    else if (notice) t.match(parsed.notices, [notice], what);
    else t.same(parsed.notices, [], what);
  }
});

t.test('what cannot be used is refused with a remedy', async (t) => {
  const small = selfSigned({ pair: generateKeyPairSync('rsa', { modulusLength: 1024 }) });
  const rows: [string, string, RegExp][] = [
    ['a DOCTYPE', `<!DOCTYPE a [<!ENTITY b "c">]>${entity()}`, /a DOCTYPE/],
    [
      'entities that multiply',
      `<!DOCTYPE a [<!ENTITY b "${'c'.repeat(1000)}"><!ENTITY d "&b;&b;">]>${entity()}`,
      /an entity/,
    ],
    ['no XML', '{"issuer": "https://id.globex.test"}', /not plain XML/],
    ['empty', '', /no element/],
    ['too large', `<a>${'x'.repeat(1024 * 1024)}</a>`, /1 MiB/],
    ['a service provider', entity({}, '<SPSSODescriptor/>'), /no SAML 2\.0 identity provider/],
    ['SAML 1.1 alone', entity({ protocols: 'urn:oasis:names:tc:SAML:1.1:protocol' }), /no SAML 2\.0/],
    ['two identity providers', entities(entity(), entity({ entityId: 'https://other.test' })), /more than one/],
    ['two roles', entity({}, role(PARTS) + role(PARTS)), /more than one/],
    ['no entityID', entity({ entityId: '' }), /no entityID/],
    ['no address', entity({ signOn: '' }), /no SingleSignOnService/],
    [
      'SOAP alone',
      entity({ signOn: endpoint('SingleSignOnService', 'SOAP', 'https://x.test') }),
      /no SingleSignOnService/,
    ],
    ['no certificate', entity({ keys: '' }), /no signing certificate/],
    [
      'a certificate for encryption alone',
      entity({ keys: key(PROVIDER_KEYS.certificate, 'use="encryption"') }),
      /no signing certificate/,
    ],
    ['a small key alone', entity({ keys: key(small.certificate) }), /1024 bits/],
    ['no longer valid', entity({ validUntil: `validUntil="${at(NOW)}"` }), /was valid until/],
    ['valid until whenever', entity({ validUntil: 'validUntil="whenever"' }), /no time/],
    ['another namespace', entity().replace('SAML:2.0:metadata', 'SAML:2.0:other'), /no SAML 2\.0/],
  ];
  for (const [what, xml, message] of rows) {
    const parsed = parseIdpMetadata(xml, NOW);
    t.ok(!parsed.ok, what);
    if (!parsed.ok) {
      t.match(parsed.message, message, what);
      t.not(parsed.remedy, '');
    }
  }
});

t.test('our own metadata says what the provider has to register', async (t) => {
  const { describe } = openSaml({ ...SETTINGS, decryption: pairOf(OUR_KEYS), nameIdFormat: EMAIL_FORMAT });
  const { contentType = '', body = '' } = describe?.() ?? {};
  t.equal(contentType, 'application/samlmetadata+xml');
  t.ok(parseXml(body).ok);
  for (const part of [
    `entityID="${ENTITY}"`,
    'AuthnRequestsSigned="true" WantAssertionsSigned="true"',
    `<md:AssertionConsumerService Binding="${BINDING}POST" Location="${ACS}" index="0" isDefault="true"/>`,
    `<md:SingleLogoutService Binding="${BINDING}Redirect" Location="${SLO}"/>`,
    `<md:SingleLogoutService Binding="${BINDING}POST" Location="${SLO}"/>`,
    `<md:NameIDFormat>${EMAIL_FORMAT}</md:NameIDFormat>`,
    '<md:KeyDescriptor use="signing">',
    '<md:KeyDescriptor use="encryption">',
    base64(OUR_KEYS.certificate).replace(/\s/g, ''),
  ]) {
    t.ok(body.includes(part), part);
  }
  t.notMatch(body, /PRIVATE/);

  const { signing: _, ...keyless } = SETTINGS;
  const plain = openSaml({ ...keyless, signed: 'response', entityId: 'urn:acme:"&' }).describe?.().body ?? '';
  t.match(plain, /entityID="urn:acme:&quot;&amp;"/);
  t.match(plain, /AuthnRequestsSigned="false" WantAssertionsSigned="false"/);
  t.notMatch(plain, /SingleLogoutService|KeyDescriptor|NameIDFormat/);
});
