/**
 * The oidc protocol: the environment is an OpenID provider, the router its client (OpenID Connect Core 1.0, code flow
 * with PKCE). The person comes back with a code; the router trades it for an id_token, believes the id_token by its
 * own rules, and asks userinfo where that is needed. Metadata and keys of the provider are read late and kept; nothing
 * of it is shared with another environment, not even with one of the same issuer.
 */
import { Refusal } from '../../core/reason.ts';
import type { Instant } from '../../core/time.ts';
import { sessionNames } from '../../core/visit.ts';
import { type CompactToken, readCompact } from '../../keys/compact.ts';
import { openJwks } from '../../keys/jwks.ts';
import type { Caller } from '../../outbound/outbound.ts';
import type { Answer, Delegate } from '../delegate.ts';
import { readErrorAnswer } from '../error-answer.ts';
import { openClientAuthentication, type ProveClient } from './client-authentication.ts';
import { authenticationRequest } from './departure.ts';
import { type CheckedIdToken, checkIdToken } from './id-token.ts';
import { keepSession } from './kept-session.ts';
import { openLogout } from './logout.ts';
import { openMetadata } from './metadata.ts';
import { lacksEmail, personOf } from './person.ts';
import type { Provider } from './provider.ts';
import type { OidcSettings } from './settings.ts';
import type { Tokens } from './token-answer.ts';
import { type CodeGrant, tradeCode } from './trade-code.ts';
import { readUserinfo } from './userinfo.ts';

/** An id_token that was believed, and the access token that came with it. */
type Believed = { readonly token: CompactToken; readonly checked: CheckedIdToken; readonly accessToken: string };

/** Opens an environment that is an OpenID provider. Nothing is loaded and nothing called before its first login. */
export function openOidc(settings: OidcSettings, caller: Caller): Delegate {
  const { environment, issuer, algorithms } = settings;
  const metadata = openMetadata(settings, caller);
  let keysUrl = settings.endpoints?.jwks ?? '';
  const verifier = openJwks({
    url: issuer,
    algorithms,
    fetch: () => caller.call({ url: keysUrl, headers: { accept: 'application/json' } }),
  });
  let proof: Promise<ProveClient> | undefined;

  async function trade(grant: CodeGrant, provider: Provider, now: Instant): Promise<Believed> {
    let believed: Believed | undefined;
    const believe = async ({ idToken, accessToken }: Tokens): Promise<void> => {
      const token = readCompact(idToken);
      keysUrl = provider.jwks;
      await verifier.verify(token, now);
      const checked = checkIdToken(token, settings, { nonce: grant.nonce, accessToken }, now);
      believed = { token, checked, accessToken };
    };
    proof ??= openClientAuthentication(settings);
    await tradeCode(grant, { provider, settings, caller, prove: await proof, believe }, now);
    if (!believed) throw new Error('tokens were accepted without having been seen');
    return believed;
  }

  /** `undefined` where userinfo is not asked. */
  async function askUserinfo({ token, checked, accessToken }: Believed, { userinfo }: Provider) {
    const { userinfo: when, claims } = settings;
    if (when === 'never' || (when === 'when_needed' && !lacksEmail(token.claims, claims))) return undefined;
    if (userinfo !== undefined) return readUserinfo(userinfo, accessToken, checked.sub, caller);
    if (when === 'always') throw new Refusal('metadata_refused', 'userinfo_endpoint is absent');
    return undefined;
  }

  /**
   * Whether the provider still has the key of an id_token that it gave this client. A visit outlives keys, and client
   * ids. Where no keys can be read, nothing speaks against it.
   */
  async function knowsIdToken(idToken: string, now: Instant): Promise<boolean> {
    const token = readCompact(idToken);
    if ([token.claims.aud].flat()[0] !== settings.clientId) return false;
    try {
      keysUrl = (await metadata.read(now)).jwks;
      await verifier.verify(token, now);
      return true;
    } catch (error) {
      if (error instanceof Refusal) return error.reason === 'keys_unavailable';
      throw error;
    }
  }

  return {
    async begin(login, now) {
      return { url: authenticationRequest(await metadata.read(now), settings, login) };
    },

    /**
     * The assertion has no replay key: a code is the provider's to take once (RFC 6749 §4.1.2), and the id_token is
     * bound by its nonce to one login, whose state is taken once.
     */
    async complete(answer, { nonce, carry }, now) {
      const provider = await metadata.read(now);
      checkSender(answer, provider, issuer);
      const refusal = readErrorAnswer(answer);
      if (refusal) throw refusal;
      const code = answer.get('code');
      if (!code) throw new Refusal('code_missing');
      // The routes may have changed since the login left, and its protocol with them.
      if (carry === undefined) throw new Refusal('state_invalid', 'no code verifier');
      const believed = await trade({ code, verifier: carry, nonce }, provider, now);
      const userinfo = await askUserinfo(believed, provider);
      const session = settings.logout ? keepSession(believed.token) : undefined;
      return {
        environment,
        claims: personOf(believed.token.claims, userinfo, settings.claims),
        ...sessionNames(believed.checked.sub, believed.token.claims.sid),
        acceptableUntil: believed.checked.acceptableUntil,
        issuedAt: believed.checked.iat,
        ...(session !== undefined && { session }),
      };
    },

    logoutTokens: {
      issuer,
      audience: settings.clientId,
      typed: 'not_required',
      async verify(token, now) {
        keysUrl = (await metadata.read(now)).jwks;
        await verifier.verify(token, now);
      },
    },

    ...(settings.logout && { logout: openLogout(settings, metadata, knowsIdToken) }),

    close: () => {
      void caller.close();
    },
  };
}

/**
 * RFC 9207 §2.4, before anything is sent anywhere, and before an error is believed: an answer that names another
 * provider, or does not name its own though it always does, may be one provider's answer at another's address.
 */
function checkSender(answer: Answer, { namesItself }: Provider, issuer: string): void {
  const iss = answer.get('iss');
  if (iss === undefined && namesItself) throw new Refusal('iss_parameter_missing');
  if (iss !== undefined && iss !== issuer) throw new Refusal('jwt_issuer_mismatch', 'the iss parameter of the answer');
}
