import type { AdapterFactory, ClientMetadata, Configuration, JWKS, KoaContextWithOIDC } from 'oidc-provider';
import { ENDPOINTS, INTERACTION, loginPathOf } from './addresses.ts';
import { claimsByScope, claimsOf } from './claims.ts';
import { ACCESS_TOKEN, CODE, ID_TOKEN, REFRESH, SESSION } from './lifetimes.ts';
import type { Person } from './people.ts';
import { loginPolicy } from './policy.ts';
import { CLIENT_AUTH, ID_TOKEN_ALGORITHMS, type ProviderSettings, type RelyingParty } from './provider.ts';

/** The library's own names for its cookies; browsers never see them (cookies.ts). */
export const COOKIES = { session: 'session', interaction: 'interaction', resume: 'resume' } as const;

/** Characters of one hint that is passed on to discovery. */
const LONGEST_HINT = 256;

/** Hints of the protocol itself (OIDC Core §3.1.2.1), and one that is customary. */
export const PROTOCOL_HINTS = ['login_hint', 'domain_hint'] as const;

type Parts = {
  readonly adapter: AdapterFactory;
  readonly jwks: JWKS;
  readonly party: (clientId: string | undefined) => RelyingParty | undefined;
  /** Somebody who may still come in to this client. */
  readonly findPerson: (clientId: string | undefined, subject: string) => Promise<Person | undefined>;
  readonly mayStay: (ctx: KoaContextWithOIDC) => Promise<boolean>;
  /** An error that the protocol has no answer for. */
  readonly showError: (ctx: KoaContextWithOIDC, error: Error) => void;
};

/** The library, set to what this router is: the authorization code flow, PKCE, refresh tokens, and no more. */
export function configurationOf(settings: ProviderSettings, parts: Parts): Configuration {
  const { parties, claims, hints, loginLifetime } = settings;
  const own = new Set<string>(PROTOCOL_HINTS);
  const passedOn = [...new Set([...own, ...hints])].filter((name) => !OURS.includes(name));
  return {
    adapter: parts.adapter,
    jwks: parts.jwks,
    clients: parties.map((party) => clientOf(party, settings)),
    routes: ENDPOINTS,
    cookies: { names: COOKIES, long: { signed: false }, short: { signed: false } },
    responseTypes: ['code'],
    scopes: ['openid', 'offline_access'],
    claims: claimsByScope(claims),
    // Most portals look for the email in the id_token, though userinfo has it, too (OIDC Core §5.4 asks for the latter).
    conformIdTokenClaims: false,
    clientAuthMethods: [...CLIENT_AUTH],
    enabledJWA: { idTokenSigningAlgValues: [...ID_TOKEN_ALGORITHMS] },
    extraParams: passedOn.filter((name) => name !== 'login_hint'),
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      // Sign-outs are runs of ours (logout.ts). With it the library would end sessions in a way of its own.
      rpInitiatedLogout: { enabled: false },
      // It sends nothing by itself: this makes id_tokens carry `sid`.
      backchannelLogout: { enabled: true },
    },
    pkce: { required: (_ctx, client) => client.clientAuthMethod === 'none' },
    allowOmittingSingleRegisteredRedirectUri: false,
    interactions: {
      policy: loginPolicy(parts.mayStay),
      url: (_ctx, { uid, params, prompt }) => {
        const party = parts.party(String(params.client_id));
        if (!party) throw new Error('an authorization request of no relying party');
        const query = new URLSearchParams({ [INTERACTION]: uid });
        for (const name of passedOn) {
          const value = params[name];
          if (typeof value === 'string' && value.length <= LONGEST_HINT) query.set(name, value);
        }
        if (prompt.name === 'select_account') query.set('ask', 'picker');
        return `${loginPathOf(party.portal)}?${query}`;
      },
    },
    findAccount: async (ctx, subject) => {
      const person = await parts.findPerson(ctx.oidc.client?.clientId, subject);
      return person && { accountId: subject, environment: person.environment, claims: () => claimsOf(subject, person) };
    },
    // One grant for a session and a client, so that a login in a second tab leaves the first one's tokens alone.
    loadExistingGrant: async ({ oidc }) => {
      const { client, session, provider } = oidc;
      const id = client && session?.grantIdFor(client.clientId);
      const known = id === undefined ? undefined : await provider.Grant.find(id);
      const grant =
        known?.accountId === session?.accountId && known
          ? known
          : new provider.Grant({ clientId: client?.clientId, accountId: session?.accountId });
      grant.addOIDCScope(oidc.requestParamOIDCScopes);
      await grant.save();
      return grant;
    },
    // The file decides, not `prompt=consent` (OIDC Core §11): whoever may have refresh tokens has them, for offline use.
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: ({ oidc }) => !oidc.client?.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    clientBasedCORS: (_ctx, origin, client) =>
      (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin),
    ttl: {
      AccessToken: ACCESS_TOKEN,
      AuthorizationCode: CODE,
      Grant: REFRESH,
      IdToken: ID_TOKEN,
      Interaction: loginLifetime + 60,
      RefreshToken: (ctx) => ctx.oidc.entities.RotatedRefreshToken?.remainingTTL ?? REFRESH,
      Session: (_ctx, { loginTs = now() }) => Math.max(1, loginTs + SESSION - now()),
    },
    renderError: (ctx, _out, error) => parts.showError(ctx, error),
  };
}

/** Parameters of the login path that are ours. */
const OURS: readonly string[] = [INTERACTION, 'choose', 'ask', 'find', 'typed', 'again'];

/** The library has no other clock than this one. */
const now = (): number => Math.floor(Date.now() / 1000);

const clientOf = (party: RelyingParty, { publicOrigin }: ProviderSettings): ClientMetadata => ({
  client_id: party.clientId,
  ...(party.clientSecret !== undefined && { client_secret: party.clientSecret }),
  token_endpoint_auth_method: party.clientAuth,
  redirect_uris: [...party.redirectUris],
  response_types: ['code'],
  response_modes: ['query', 'form_post'],
  grant_types: ['authorization_code', ...(party.scopes.includes('offline_access') ? ['refresh_token'] : [])],
  scope: party.scopes.join(' '),
  require_auth_time: true,
  id_token_signed_response_alg: party.algorithm,
  // Without an address of its own the client still gets `sid`; nothing is ever sent there by the library.
  backchannel_logout_uri: party.backchannelLogoutUri ?? `${publicOrigin}/`,
  backchannel_logout_session_required: true,
});
