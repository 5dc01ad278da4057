import type { CustomFetch } from 'openid-client';
import { Refusal } from '../../core/reason.ts';
import { CLOCK_SKEW, type Instant, systemClock } from '../../core/time.ts';
import type { Caller } from '../../outbound/outbound.ts';
import { callEnvironment } from '../outbound-refusal.ts';
import type { ProveClient } from './client-authentication.ts';
import type { Provider } from './provider.ts';
import { type OidcSettings, redirectUriOf } from './settings.ts';
import { readTokenAnswer, type Tokens } from './token-answer.ts';

/** What a code is traded with. */
export type CodeGrant = {
  readonly code: string;
  /** RFC 7636 §4.5. */
  readonly verifier: string;
  readonly nonce: string;
};

type Trade = {
  readonly provider: Provider;
  readonly settings: OidcSettings;
  readonly caller: Caller;
  readonly prove: ProveClient;
  /** Our own judgement of the tokens. Throws `Refusal`. */
  readonly believe: (tokens: Tokens) => Promise<void>;
};

/**
 * Trades a code for tokens (OpenID Connect Core §3.1.3.1). openid-client makes the request and judges the answer, but
 * only after we did: `believe` sees the tokens first, so that a refusal has our reason, and the library's judgement,
 * which knows no signature here, can only add a no. Throws `Refusal`.
 */
export async function tradeCode({ code, verifier, nonce }: CodeGrant, trade: Trade, now: Instant): Promise<void> {
  const { settings, caller } = trade;
  const client = await import('openid-client');
  const config = new client.Configuration(
    serverMetadata(trade.provider, settings),
    settings.clientId,
    // The library reads the system's clock: the skew sets it to the handed-in `now`. It goes on while the provider
    // answers, so its tolerance is twice ours, and ours decides.
    { [client.clockSkew]: now - systemClock(), [client.clockTolerance]: 2 * CLOCK_SKEW },
    trade.prove(now),
  );
  // The caller decides about schemes and about time.
  client.allowInsecureRequests(config);
  config.timeout = 0;
  // Apart from its assignment: V8 takes a function in one to a property for a method, and lets it grow old.
  const send: CustomFetch = async (url, { headers, body }) => {
    const { 'user-agent': _, ...ours } = headers;
    const answer = await callEnvironment(caller, { url, method: 'POST', headers: ours, body: String(body) });
    await trade.believe(readTokenAnswer(answer));
    return new Response(new Uint8Array(answer.body), { headers: { 'content-type': 'application/json' } });
  };
  config[client.customFetch] = send;
  const returned = new URL(redirectUriOf(settings));
  returned.searchParams.set('code', code);
  try {
    await client.authorizationCodeGrant(config, returned, {
      pkceCodeVerifier: verifier,
      expectedNonce: nonce,
      // The state was opened before anything of this answer was read.
      expectedState: client.skipStateCheck,
      idTokenExpected: true,
      ...(settings.maxAge !== undefined && { maxAge: settings.maxAge }),
    });
  } catch (error) {
    throw explain(error, client.ClientError);
  }
}

/** Without RFC 9207's word: `iss` was compared before the code was taken up at all. */
const serverMetadata = ({ token }: Provider, { issuer, algorithms }: OidcSettings) => ({
  issuer,
  token_endpoint: token,
  id_token_signing_alg_values_supported: [...algorithms],
});

/** openid-client wraps what our fetch throws; what it says of its own is a no to the answer. Anything else is a bug. */
function explain(error: unknown, ClientError: typeof import('openid-client').ClientError): unknown {
  if (!(error instanceof ClientError)) return error;
  if (error.cause instanceof Refusal) return error.cause;
  return error.code === undefined ? error : new Refusal('environment_error', `token endpoint: ${error.code}`);
}
