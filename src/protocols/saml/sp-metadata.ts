import { addressesOf } from './addresses.ts';
import type { KeyPair, SamlSettings } from './settings.ts';
import { ASSERTION, BINDINGS, DSIG, METADATA, PROTOCOL, XENC, XENC11 } from './uris.ts';
import { element, escapeXml } from './write-message.ts';

/** Best first; see decrypt.ts. */
const ENCRYPTION_METHODS = [
  `${XENC11}aes256-gcm`,
  `${XENC11}aes128-gcm`,
  `${XENC}aes256-cbc`,
  `${XENC}aes128-cbc`,
  `${XENC}rsa-oaep-mgf1p`,
];

/** Our metadata (SAML Metadata §2.4.4), the same at any time: what the provider's administrator registers. */
export function describeServiceProvider(settings: SamlSettings): string {
  const { signing, decryption, signed, provider, nameIdFormat } = settings;
  const { entityId, assertionConsumer, singleLogout } = addressesOf(settings);
  const logout = settings.logout && provider.logout !== undefined && signing !== undefined;
  const endpoint = (name: string, binding: string, at: string, more = {}) =>
    element(`md:${name}`, { Binding: binding, Location: at, ...more });

  const role = [
    signing && keyDescriptor('signing', signing),
    decryption &&
      keyDescriptor(
        'encryption',
        decryption,
        ENCRYPTION_METHODS.map((one) => element('md:EncryptionMethod', { Algorithm: one })),
      ),
    logout && endpoint('SingleLogoutService', BINDINGS.redirect, singleLogout),
    logout && endpoint('SingleLogoutService', BINDINGS.post, singleLogout),
    nameIdFormat !== undefined && element('md:NameIDFormat', {}, escapeXml(nameIdFormat)),
    endpoint('AssertionConsumerService', BINDINGS.post, assertionConsumer, { index: 0, isDefault: true }),
  ];
  const descriptor = element(
    'md:SPSSODescriptor',
    {
      AuthnRequestsSigned: signing !== undefined,
      WantAssertionsSigned: signed !== 'response',
      protocolSupportEnumeration: PROTOCOL,
    },
    role.filter(Boolean).join(''),
  );
  const namespaces = { 'xmlns:md': METADATA, 'xmlns:ds': DSIG, 'xmlns:saml': ASSERTION };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('md:EntityDescriptor', { ...namespaces, entityID: entityId }, descriptor)}\n`;
}

function keyDescriptor(
  use: 'signing' | 'encryption',
  { certificate }: KeyPair,
  methods: readonly string[] = [],
): string {
  const base64 = certificate.replace(/-----[^-]+-----|\s/g, '');
  const data = element('ds:X509Data', {}, element('ds:X509Certificate', {}, base64));
  return element('md:KeyDescriptor', { use }, element('ds:KeyInfo', {}, data) + methods.join(''));
}
