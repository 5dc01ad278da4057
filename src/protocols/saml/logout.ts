import { Refusal } from '../../core/reason.ts';
import type { Instant } from '../../core/time.ts';
import type { Answer, DelegateLogout, LogoutNotice } from '../delegate.ts';
import { addressesOf } from './addresses.ts';
import type { Sender } from './depart.ts';
import { checkWindow, timeIn } from './instant.ts';
import { judgeEnvelope, judgeInResponseTo, judgeIssuer } from './judge-envelope.ts';
import { type Message, readPosted, readRedirected } from './read-message.ts';
import { cameByRedirect, type MessageParam, verifyRedirect } from './redirect-binding.ts';
import { readSession, type SamlSession } from './session.ts';
import type { SamlSettings } from './settings.ts';
import { checkStatus } from './status.ts';
import { checkStructure, signatureOf } from './structure.ts';
import { ASSERTION, PROTOCOL } from './uris.ts';
import type { SignatureCheck } from './verify-signed.ts';
import { writeLogoutRequest, writeLogoutResponse } from './write-message.ts';
import { childrenOf, is, type XmlElement } from './xml-tree.ts';

export type LogoutTools = {
  readonly check: SignatureCheck;
  readonly sender: () => Promise<Sender>;
  readonly newId: () => string;
};

/**
 * Single Logout (SAML Profiles §4.4) through the browser. `undefined` where the provider has none, and without a key
 * of ours: its messages MUST be signed (§4.4.4.1 and §4.4.4.2), which is required of the provider's, too.
 */
export function openLogout(settings: SamlSettings, { check, sender, newId }: LogoutTools): DelegateLogout | undefined {
  const { provider, signing } = settings;
  const service = provider.logout;
  if (!settings.logout || !service || !signing) return undefined;
  const { entityId, singleLogout } = addressesOf(settings);

  /** A logout message with all that its sender has to prove. Throws `Refusal`. */
  async function accept(answer: Answer, param: MessageParam, name: string, now: Instant): Promise<XmlElement> {
    const message = await verified(answer, param);
    const { root } = message;
    if (!is(root, PROTOCOL, name)) throw new Refusal('saml_malformed', `not a ${name}`);
    judgeEnvelope(root, singleLogout, settings, now, true);
    judgeIssuer(root, provider.entityId, true);
    return root;
  }

  async function verified(answer: Answer, param: MessageParam): Promise<Message> {
    const value = answer.get(param) ?? '';
    if (cameByRedirect(answer, param)) {
      verifyRedirect(answer, param, provider.certificates);
      const message = readRedirected(value);
      checkStructure(message.root);
      return message;
    }
    const message = readPosted(value);
    checkStructure(message.root);
    if (!signatureOf(message.root)) throw new Refusal('saml_signature_missing', message.root.name);
    await check.logoutMessage(message);
    return message;
  }

  return {
    async begin(logout, now) {
      const session = logout.session === undefined ? undefined : readSession(logout.session);
      if (!session) return undefined;
      const id = newId();
      const xml = writeLogoutRequest({ id, destination: service.url, issuer: entityId, now }, session);
      const send = await sender();
      return send({ to: service, param: 'SAMLRequest', xml, relayState: logout.shortState(id) });
    },

    async complete(answer, { carry }, now) {
      if (carry === undefined) throw new Refusal('saml_in_response_to_mismatch', 'the sign-out made no request');
      const response = await accept(answer, 'SAMLResponse', 'LogoutResponse', now);
      judgeInResponseTo(response, carry);
      checkStatus(response);
    },

    async receive(answer, now) {
      if (!answer.has('SAMLRequest')) return undefined;
      const request = await accept(answer, 'SAMLRequest', 'LogoutRequest', now);
      checkWindow(request, now);
      const concerned = readConcerned(request);
      const send = await sender();
      const inResponseTo = request.attributes.get('ID') ?? '';
      const to = { url: service.responseUrl ?? service.url, binding: service.binding };

      return {
        ...concerned,
        issuedAt: Math.floor(timeIn(request, 'IssueInstant') ?? now),
        reply(ended) {
          const heading = { id: newId(), destination: to.url, issuer: entityId, now };
          const xml = writeLogoutResponse({ ...heading, inResponseTo, ended });
          return send({ to, param: 'SAMLResponse', xml, relayState: echoed(answer.get('RelayState')) });
        },
      };
    },
  };
}

/** Given back as it came; one that is longer than 80 bytes is no RelayState (SAML Bindings §3.4.3). */
const echoed = (relayState: string | undefined): string | undefined =>
  relayState !== undefined && Buffer.byteLength(relayState) <= 80 ? relayState : undefined;

/** Whom a LogoutRequest is about: one NameID, and the sessions it names, or all of them (SAML Core §3.7.3.2). */
function readConcerned(request: XmlElement): Pick<LogoutNotice, 'subject' | 'concerns'> {
  const [nameId, ...more] = childrenOf(request, ASSERTION, 'NameID');
  const name = nameId?.text.trim();
  if (!nameId || !name || more.length > 0 || nameId.children.length > 0)
    throw new Refusal('saml_malformed', 'LogoutRequest without exactly one NameID');
  const indexes = childrenOf(request, PROTOCOL, 'SessionIndex').map(({ text }) => text.trim());
  return {
    subject: name,
    concerns(text) {
      const session = readSession(text);
      if (session?.nameId !== name || !sameQualifiers(session, nameId)) return false;
      return indexes.length === 0 || (session.index !== undefined && indexes.includes(session.index));
    },
  };
}

/** One that either side leaves out is no difference: providers add the ones that are implied (SAML Core §3.3.4). */
function sameQualifiers({ format, nameQualifier, spNameQualifier }: SamlSession, { attributes }: XmlElement): boolean {
  const said = [
    [format, 'Format'],
    [nameQualifier, 'NameQualifier'],
    [spNameQualifier, 'SPNameQualifier'],
  ] as const;
  return said.every(([ours, attribute]) => {
    const theirs = attributes.get(attribute);
    return ours === undefined || theirs === undefined || ours === theirs;
  });
}
