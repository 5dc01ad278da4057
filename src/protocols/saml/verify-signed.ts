import { X509Certificate } from 'node:crypto';
import type { CacheProvider, SamlConfig } from '@node-saml/node-saml';
import { type Reason, Refusal } from '../../core/reason.ts';
import { addressesOf } from './addresses.ts';
import { type Message, readText } from './read-message.ts';
import type { SamlSettings } from './settings.ts';
import type { XmlElement } from './xml-tree.ts';

/** Checks signatures with each of the provider's certificates, by node-saml, which is loaded at first use. */
export type SignatureCheck = {
  /**
   * The assertion of a response, out of the bytes that were signed. `signed` says which of the two have a signature;
   * every one that is there is checked. Throws `Refusal`.
   */
  assertion(response: Message, requestId: string, signed: Signed): Promise<XmlElement>;
  /** A logout message that holds its own signature (POST binding); all of its root is signed then. Throws `Refusal`. */
  logoutMessage(message: Message): Promise<void>;
};

export type Signed = { readonly response: boolean; readonly assertion: boolean };

export function openSignatureCheck(settings: SamlSettings): SignatureCheck {
  let loaded: Promise<(config: Partial<SamlConfig>) => Saml> | undefined;

  async function saml(config: Partial<SamlConfig>): Promise<Saml> {
    loaded ??= load(settings);
    return (await loaded)(config);
  }

  return {
    async assertion(response, requestId, signed) {
      const checker = await saml({
        wantAuthnResponseSigned: signed.response,
        wantAssertionsSigned: signed.assertion,
        ...answersOnly(requestId),
      });
      const { profile } = await orRefuse(checker.validatePostResponseAsync({ SAMLResponse: encode(response) }));
      const text = profile?.getAssertionXml?.();
      if (!text) throw new Refusal('saml_signature_invalid', 'nothing was verified');
      return readText(text).root;
    },

    async logoutMessage(message) {
      const checker = await saml({ wantAuthnResponseSigned: true });
      const encoded = encode(message);
      await orRefuse(
        message.root.name === 'LogoutRequest'
          ? checker.validatePostRequestAsync({ SAMLRequest: encoded })
          : checker.validatePostResponseAsync({ SAMLResponse: encoded }),
      );
    },
  };
}

type Saml = InstanceType<typeof import('@node-saml/node-saml').SAML>;

async function load(settings: SamlSettings): Promise<(config: Partial<SamlConfig>) => Saml> {
  const { SAML } = (await import('@node-saml/node-saml')).default;
  const { entityId, assertionConsumer } = addressesOf(settings);
  const certificates = settings.provider.certificates.map((pem) => new X509Certificate(pem).toString());
  return (config) =>
    new SAML({
      callbackUrl: assertionConsumer,
      issuer: entityId,
      idpCert: certificates,
      idpIssuer: settings.provider.entityId,
      ...(settings.decryption && { decryptionPvk: settings.decryption.privateKey }),
      // Times are judged with the `now` that is handed in, the audience beside them, each with a reason of its own
      // (judge-assertion.ts); node-saml knows the system clock only.
      acceptedClockSkewMs: -1,
      audience: false,
      ...config,
    });
}

/** Makes node-saml take answers to this request only: the login remembers it, not a cache of the process. */
function answersOnly(requestId: string): Partial<SamlConfig> {
  const cacheProvider: CacheProvider = {
    saveAsync: async () => null,
    getAsync: async (id) => (id === requestId ? new Date().toISOString() : null),
    removeAsync: async () => null,
  };
  return { validateInResponseTo: 'always' as NonNullable<SamlConfig['validateInResponseTo']>, cacheProvider };
}

const encode = ({ text }: Message): string => Buffer.from(text, 'utf8').toString('base64');

/** What node-saml says when something else than a signature is wrong. */
const WORDS: readonly (readonly [RegExp, Reason])[] = [
  [/InResponseTo/, 'saml_in_response_to_mismatch'],
  [/^Unknown SAML issuer|^Missing SAML issuer/, 'saml_issuer_mismatch'],
  [/^Error parsing |^Missing SAML |^Unable to process /, 'saml_malformed'],
];

async function orRefuse<T>(checked: Promise<T>): Promise<T> {
  try {
    return await checked;
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const reason = WORDS.find(([words]) => words.test(message))?.[1] ?? 'saml_signature_invalid';
    throw new Refusal(reason, message.replace(/[^\x20-\x7e]/g, '?').slice(0, 80));
  }
}
