import fc from 'fast-check';
import t from 'tap';
import type { Reason } from '../../src/core/reason.ts';
import { shapeFault } from '../../src/protocols/saml/xml-shape.ts';
import { parseXml, type XmlElement } from '../../src/protocols/saml/xml-tree.ts';
import { answers } from '../conformance/answers.ts';
import { NOW, reasonOf, refusesAll } from '../keys/tokens.ts';
import {
  assertionXml,
  CARRIED,
  encrypted,
  goodResponse,
  nameId,
  OUR_KEYS,
  openEnvironment,
  pairOf,
  posted,
  responseXml,
  signed,
} from '../support/saml/responses.ts';
import { WRAPPINGS } from '../support/saml/wrappings.ts';

const DSIG = 'http://www.w3.org/2000/09/xmldsig#';
const SIGNED_EITHER_WAY = ['assertion', 'response'] as const;

const comes = (xml: string, reason: Reason | 'accepted') => [() => openEnvironment().arrive(xml), reason] as const;

t.test('case 27: whatever is wrapped, nothing but the one signed assertion in its one place is read', async (t) => {
  for (const required of SIGNED_EITHER_WAY) {
    const { arrive } = openEnvironment({ signed: required });
    for (const [what, xml] of Object.entries(WRAPPINGS)) {
      t.equal(await reasonOf(() => arrive(xml)), 'saml_structure_refused', `${what} (${required})`);
    }
  }
});

t.test('case 28: a NameID is read as a whole or not at all', (t) => {
  const xml = goodResponse({ nameId: nameId('eve@globex.test.evil.test') });
  const cut = (knife: string) => xml.replace('globex.test.evil.test', `globex.test${knife}.evil.test`);
  const before = (what: string) => `${what}${goodResponse()}`;
  return refusesAll(t, {
    'a comment': comes(cut('<!---->'), 'saml_malformed'),
    'a processing instruction': comes(cut('<?x y?>'), 'saml_malformed'),
    'CDATA around the rest': comes(xml.replace('.evil.test', '<![CDATA[.evil.test]]>'), 'saml_malformed'),
    'an element': comes(cut('<x xmlns="urn:x"/>'), 'saml_signature_invalid'),
    'a DOCTYPE': comes(before('<!DOCTYPE a>'), 'saml_malformed'),
    entities: comes(before('<!DOCTYPE a [<!ENTITY b "c">]>').replace('ada-7', '&b;'), 'saml_malformed'),
    'an entity without DOCTYPE': comes(goodResponse().replace('ada-7', '&b;'), 'saml_malformed'),
    'an external entity': comes(
      before('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>').replace('ada-7', '&b;'),
      'saml_malformed',
    ),
    'a comment before the root': comes(before('<!-- -->'), 'saml_malformed'),
    'a style sheet': comes(before('<?xml-stylesheet href="x"?>'), 'saml_malformed'),
    'another encoding': comes(before('<?xml version="1.0" encoding="UTF-7"?>'), 'saml_malformed'),
    'XML 1.1': comes(before('<?xml version="1.1"?>'), 'saml_malformed'),
    'a second root': comes(`${goodResponse()}${goodResponse()}`, 'saml_malformed'),
    'text behind the root': comes(`${goodResponse()}x`, 'saml_malformed'),
    'a character reference, signed': comes(goodResponse({ nameId: nameId('ada&#45;7') }), 'accepted'),
    'a character reference afterwards': comes(goodResponse().replace('ada-7', 'ada&#45;8'), 'saml_signature_invalid'),
  });
});

t.test('what has children where text belongs says nothing', async (t) => {
  const { claims, session } = await openEnvironment().arrive(
    goodResponse({ nameId: nameId('eve<x xmlns="urn:x"/>-1') }),
  );
  t.equal(claims.name_id, undefined);
  t.equal(session, undefined);
});

t.test('weak and strange signatures are refused before they are checked', (t) => {
  const by = (changes: Parameters<typeof signed>[2]) => responseXml(signed(assertionXml(), '_assertion-1', changes));
  const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#';
  const enveloped = `${DSIG}enveloped-signature`;
  return refusesAll(t, {
    'rsa-sha1': comes(by({ method: `${DSIG}rsa-sha1` as never }), 'saml_algorithm_not_allowed'),
    'a SHA-1 digest': comes(by({ digest: `${DSIG}sha1` }), 'saml_algorithm_not_allowed'),
    'rsa-sha512': comes(by({ method: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512' as never }), 'accepted'),
    'hmac-sha1 named': comes(
      goodResponse().replace(/xmldsig-more#rsa-sha256/, 'xmldsig-more#hmac-sha256'),
      'saml_algorithm_not_allowed',
    ),
    'inclusive canonicalization': comes(
      by({ canonicalization: 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315' as never }),
      'saml_algorithm_not_allowed',
    ),
    'with comments': comes(by({ transforms: [enveloped, `${exclusive}WithComments`] }), 'saml_structure_refused'),
    'without the enveloped transform': comes(by({ transforms: [exclusive] }), 'saml_structure_refused'),
    'a third transform': comes(by({ transforms: [enveloped, exclusive, exclusive] }), 'saml_structure_refused'),
    'an XPath transform': comes(
      goodResponse().replace(`"${enveloped}"`, '"http://www.w3.org/TR/1999/REC-xpath-19991116"'),
      'saml_structure_refused',
    ),
    HMACOutputLength: comes(
      goodResponse().replace(
        /<ds:SignatureMethod([^>]*)\/>/,
        '<ds:SignatureMethod$1><ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>',
      ),
      'saml_structure_refused',
    ),
    'an empty value': comes(
      goodResponse().replace(/<ds:SignatureValue>[^<]*/, '<ds:SignatureValue>'),
      'saml_signature_invalid',
    ),
    'an ID with an apostrophe': comes(goodResponse().replaceAll('_assertion-1', "_a' or '1"), 'saml_malformed'),
  });
});

t.test('what is too large, too deep or no XML costs next to nothing', async (t) => {
  const { complete } = openEnvironment();
  const raw = (value: string) => complete(new Map([['SAMLResponse', value]]), CARRIED, NOW);
  const rows: Readonly<Record<string, () => unknown>> = {
    'no SAMLResponse': () => complete(new Map(), CARRIED, NOW),
    'not base64': () => raw('<xml/>'),
    'not UTF-8': () => raw(Buffer.from([0x3c, 0xff, 0x3e]).toString('base64')),
    'UTF-16': () => raw(Buffer.from(`\ufeff${goodResponse()}`, 'utf16le').toString('base64')),
    'over 256 KiB': () => complete(posted('SAMLResponse', `<a>${'x'.repeat(262_144)}</a>`), CARRIED, NOW),
    '20,000 levels': () => complete(posted('SAMLResponse', '<a>'.repeat(20_000)), CARRIED, NOW),
    '80,000 elements': () => complete(posted('SAMLResponse', `<a>${'<b/>'.repeat(60_000)}</a>`), CARRIED, NOW),
    '20,000 attributes': () =>
      complete(
        posted('SAMLResponse', `<a ${Array.from({ length: 20_000 }, (_, i) => `a${i}=""`).join(' ')}/>`),
        CARRIED,
        NOW,
      ),
    '10,000 nested namespaces': () =>
      complete(
        posted('SAMLResponse', Array.from({ length: 10_000 }, (_, i) => `<a xmlns:b${i}="u">`).join('')),
        CARRIED,
        NOW,
      ),
  };
  for (const [what, act] of Object.entries(rows)) {
    const before = performance.now();
    t.equal(await reasonOf(act), 'saml_malformed', what);
    t.ok(performance.now() - before < 1_000, `${what}: in no time`);
  }
});

t.test('any byte of a right response may change, and nobody else comes of it', async (t) => {
  const environments = [
    { xml: goodResponse(), ...openEnvironment() },
    {
      xml: responseXml(await encrypted(signed(assertionXml(), '_assertion-1'))),
      ...openEnvironment({ decryption: pairOf(OUR_KEYS) }),
    },
    { xml: signed(responseXml(assertionXml()), '_message-1'), ...openEnvironment({ signed: 'response' }) },
  ];
  const replacement = fc.oneof(
    fc.constantFrom(
      '',
      '<',
      '>',
      '"',
      '&',
      '<!---->',
      '<x/>',
      '&#0;',
      '\n',
      'xmlns="urn:x"',
      ' ID="_x"',
      '</saml:NameID>',
    ),
    fc.string({ maxLength: 3 }),
  );
  for (const { xml, arrive } of environments) {
    const good = await arrive(xml);
    const place = fc.tuple(fc.nat(xml.length - 1), fc.nat(20), replacement);
    await fc.assert(
      fc.asyncProperty(place, async ([from, length, text]) => {
        const changed = xml.slice(0, from) + text + xml.slice(from + length);
        try {
          const { claims, session, replayKey } = await arrive(changed);
          // What is not signed (white space, KeyInfo, the envelope) may differ, what is read may not.
          return (
            JSON.stringify([claims, session, replayKey]) === JSON.stringify([good.claims, good.session, good.replayKey])
          );
        } catch (error) {
          if ((error as Error).name !== 'Refusal') throw error;
          return true;
        }
      }),
      { numRuns: 200 },
    );
    t.equal(good.replayKey, 'saml/globex/assertion/_assertion-1');
  }
});

t.test('anything else that comes is a refusal', async (t) => {
  const { complete } = openEnvironment({ decryption: pairOf(OUR_KEYS) });
  await fc.assert(
    fc.asyncProperty(answers, async (answer) => (await reasonOf(() => complete(answer, CARRIED, NOW))) !== 'accepted'),
    { numRuns: 200 },
  );
  t.pass('200 kinds of anything');
});

t.test('what passes the gate is read by the parser, with the same elements', async (t) => {
  const name = fc.constantFrom('a', 'b:c', 'saml:Assertion', '-x', 'a b', 'é', '');
  const piece = fc.oneof(
    fc
      .tuple(
        fc.constantFrom('<', '</', '<!', '<?'),
        name,
        fc.constantFrom('>', '/>', ' x="1">', " x='<'>", ' x=1>', ''),
      )
      .map((parts) => parts.join('')),
    fc.constantFrom('text', '&amp;', '&x;', '&#x1F600;', ']]>', '\u0000', '\r\n'),
  );
  await fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const text = `<r xmlns:b="urn:b" xmlns:saml="urn:s">${pieces.join('')}</r>`;
      if (shapeFault(text) !== undefined) return true;
      const parsed = parseXml(text);
      return parsed.ok && countOf(parsed.root) === (text.match(/<[^/]/g) ?? []).length;
    }),
    { numRuns: 2_000 },
  );
  t.pass('the two agree');
});

const countOf = (element: XmlElement): number => element.children.reduce((sum, child) => sum + countOf(child), 1);
