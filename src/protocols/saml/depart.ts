import type { Departure } from '../delegate.ts';
import { type MessageParam, redirectUrl } from './redirect-binding.ts';
import type { KeyPair, SamlBinding } from './settings.ts';
import { ENVELOPED, EXCLUSIVE_C14N, RSA_SHA256, SHA256 } from './uris.ts';

/** A message of ours on its way through the browser. */
export type Outgoing = {
  readonly to: { readonly url: string; readonly binding: SamlBinding };
  readonly param: MessageParam;
  readonly xml: string;
  /** At most 80 bytes (SAML Bindings §3.4.3). */
  readonly relayState: string | undefined;
};

/** Turns messages into departures by either binding, signed where there is a key. */
export type Sender = (message: Outgoing) => Departure;

/** Loads what signing by POST needs: a redirect is signed over its query, a posted message inside itself. */
export async function openSender(signing: KeyPair | undefined): Promise<Sender> {
  const signPosted = signing && (await openSigner(signing));
  return ({ to, param, xml, relayState }) => {
    if (to.binding === 'redirect') return { url: redirectUrl(to.url, param, xml, relayState, signing?.privateKey) };
    const message = Buffer.from(signPosted ? signPosted(xml) : xml).toString('base64');
    return {
      action: to.url,
      fields: { [param]: message, ...(relayState !== undefined && { RelayState: relayState }) },
    };
  };
}

/** An enveloped signature of the whole message, right behind its Issuer (SAML Core §3.2.1 and §5.4). */
async function openSigner({ privateKey, certificate }: KeyPair): Promise<(xml: string) => string> {
  const { SignedXml } = (await import('xml-crypto')).default;
  return (xml) => {
    const signer = new SignedXml({
      privateKey,
      publicCert: certificate,
      signatureAlgorithm: RSA_SHA256,
      canonicalizationAlgorithm: EXCLUSIVE_C14N,
    });
    signer.addReference({ xpath: '/*', transforms: [ENVELOPED, EXCLUSIVE_C14N], digestAlgorithm: SHA256 });
    signer.computeSignature(xml, {
      location: { reference: "/*/*[local-name()='Issuer']", action: 'after' },
      prefix: 'ds',
    });
    return signer.getSignedXml();
  };
}
