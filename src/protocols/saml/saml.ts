/**
 * The SAML 2.0 protocol, Web Browser SSO and Single Logout profiles (SAML Profiles §4.1 and §4.4): the environment is
 * an identity provider, the router a service provider. Everything goes through the browser; nothing here calls another
 * server. An answer is believed when its signature is the provider's and all that it says fits this login; that each
 * assertion is used once is the caller's, by the replay key.
 */
import { randomBytes } from 'node:crypto';
import { Refusal } from '../../core/reason.ts';
import { sessionNames } from '../../core/visit.ts';
import type { Delegate } from '../delegate.ts';
import { acceptResponse } from './accept-response.ts';
import { addressesOf } from './addresses.ts';
import { openSender, type Sender } from './depart.ts';
import { openLogout } from './logout.ts';
import { claimsOf, sessionOf } from './person.ts';
import { writeSession } from './session.ts';
import type { SamlSettings } from './settings.ts';
import { describeServiceProvider } from './sp-metadata.ts';
import { openSignatureCheck } from './verify-signed.ts';
import { writeAuthnRequest } from './write-message.ts';

/**
 * Opens an environment that is a SAML identity provider. Libraries are loaded and certificates read at first use;
 * that is when it throws an `Error` for a certificate or key that is none. `random` is for the IDs of logout messages.
 */
export function openSaml(settings: SamlSettings, random: (bytes: number) => Buffer = randomBytes): Delegate {
  const { environment, provider, signing, nameIdFormat, forceAuthn, authnContexts } = settings;
  const { assertionConsumer, entityId } = addressesOf(settings);
  const check = openSignatureCheck(settings);
  let opened: Promise<Sender> | undefined;
  const sender = () => (opened ??= openSender(signing));
  const logout = openLogout(settings, { check, sender, newId: () => `_${random(16).toString('hex')}` });

  return {
    stateParam: 'RelayState',

    async begin(login, now) {
      // 128 bits that nobody can guess, as SAML Core §1.3.4 asks for.
      const id = `_${login.nonce}`;
      const { signOn } = provider;
      const heading = { id, destination: signOn.url, issuer: entityId, now };
      const xml = writeAuthnRequest({ ...heading, assertionConsumer, nameIdFormat, forceAuthn, authnContexts });
      const send = await sender();
      return send({ to: signOn, param: 'SAMLRequest', xml, relayState: login.shortState(id) });
    },

    async complete(answer, { carry }, now) {
      if (carry === undefined) throw new Refusal('saml_in_response_to_mismatch', 'the login made no request');
      const { element, id, issuedAt, acceptableUntil } = await acceptResponse(answer, carry, settings, check, now);
      const session = sessionOf(element);
      return {
        environment,
        claims: claimsOf(element, settings.attributes),
        ...sessionNames(session?.nameId, session?.index),
        replayKey: `saml/${environment}/assertion/${id}`,
        acceptableUntil,
        issuedAt,
        ...(session && { session: writeSession(session) }),
      };
    },

    describe: () => ({
      contentType: 'application/samlmetadata+xml',
      body: describeServiceProvider(settings),
    }),

    ...(logout && { logout }),
  };
}
