import { decodeJwt } from 'jose';
import type { Identity } from '../core/environment.ts';
import type { PortalRequest } from '../core/portal.ts';
import { Refusal } from '../core/reason.ts';
import { INTERACTION } from './addresses.ts';
import type { Opened } from './opened.ts';

/** Hands a login back to the authorization request that it was for; see `Provider.prepare`. */
export async function prepare(
  { library, people, partyOf }: Opened,
  { portal, params: asked }: PortalRequest,
  identity: Identity,
): Promise<{ finish(): Promise<string> }> {
  const interaction = await library.Interaction.find(asked[INTERACTION] ?? '');
  if (!interaction) throw new Refusal('login_expired', 'authorization request');
  const { client_id: clientId, id_token_hint: hint } = interaction.params;
  // What one portal lets in, another may not.
  if (partyOf(String(clientId))?.portal !== portal)
    throw new Refusal('request_parameter_mismatch', `${INTERACTION} of another portal`);
  const { subject, keep } = people.prepare(identity);
  // OIDC Core §3.1.2.1 (id_token_hint). The library has verified it; it would go on asking for ever.
  const somebodyElse = typeof hint === 'string' && decodeJwt(hint).sub !== subject;
  return {
    async finish() {
      await keep();
      interaction.result = somebodyElse
        ? { error: 'login_required', error_description: 'somebody else signed in' }
        : { login: { accountId: subject, remember: true }, consent: {}, select_account: {} };
      await interaction.persist();
      return interaction.returnTo;
    },
  };
}
