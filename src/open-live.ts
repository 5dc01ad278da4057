/** A checked routes file → live things: signers, verifiers, portals. Part of composing; see compose.ts. */
import { isDeepStrictEqual } from 'node:util';
import { addressed } from './config/addressed.ts';
import type { CheckedEnvironment, CheckedHandoff, CheckedKey, CheckedPortal, CheckedRoutes } from './config/checked.ts';
import { loginAddress } from './config/login-address.ts';
import type { EnvironmentName, PortalName } from './core/names.ts';
import { readsOf } from './core/reads.ts';
import { recordOf } from './core/record.ts';
import type { Routes } from './core/routes.ts';
import { EXCHANGE, fixedAddresses } from './http/addresses.ts';
import { openDirectory } from './http/directory.ts';
import { throughEntrance } from './http/entrance.ts';
import { TOKEN_EXCHANGE } from './http/exchange.ts';
import { openExchangeIndex } from './http/exchange-index.ts';
import type { Live, LivePortal } from './http/live.ts';
import { openLook } from './http/pages/look.ts';
import type { LiveProxy } from './http/proxied.ts';
import { openRateLimit } from './http/rate-limit.ts';
import { hmacKey, hmacVerifier } from './keys/hmac.ts';
import { openJwks } from './keys/jwks.ts';
import { keptUnder, openKeptKeys } from './keys/kept-keys.ts';
import { isHmac, type Signer, type Verifier } from './keys/keys.ts';
import { openPublicKey } from './keys/public-key.ts';
import { openRotatingSigner } from './keys/rotating-signer.ts';
import { openScheduledSigner } from './keys/scheduled-signer.ts';
import { publishedKeys, type SigningKey } from './keys/signer.ts';
import type { SigningThread } from './keys/signing-thread.ts';
import { closeReceivers, openReceivers, type Receivers, receiverSetups } from './open-receivers.ts';
import { openRelyingParties, type PartyParts } from './open-relying-parties.ts';
import type { Caller, Outbound } from './outbound/outbound.ts';
import { openPortal } from './portals/open-portal.ts';
import { openTokenSigner } from './portals/token-signer.ts';
import type { Delegate } from './protocols/delegate.ts';
import { openHandoff } from './protocols/handoff/handoff.ts';
import { openOidc } from './protocols/oidc/oidc.ts';
import { openSaml } from './protocols/saml/saml.ts';
import { openSession } from './protocols/session/session.ts';
import type { Provider } from './provider/provider.ts';
import { openProxy, type ProxyHooks } from './proxy/proxy.ts';
import type { Store } from './store/store.ts';

export type Opened = { readonly checked: CheckedRoutes; readonly live: Live; readonly receivers: Receivers };

type Parts = PartyParts & {
  /** Signs for portals with private keys. */
  readonly signingThread: SigningThread;
  readonly outbound: Outbound;
  /** What an environment's proxy asks back; `catches`: whether redirects to a portal are caught. */
  readonly hooksFor: (environment: EnvironmentName, catches: boolean) => ProxyHooks;
};

/** Opens everything that a routes file names. What did not change is taken over from `previous`, cached keys included. */
export async function openLive(checked: CheckedRoutes, parts: Parts, previous?: Opened): Promise<Opened> {
  const delegates = new Map<EnvironmentName, Delegate>();
  const proxied = new Map<string, LiveProxy>();
  for (const [name, entry] of checked.environments) {
    const kept = unchanged(checked, previous, name);
    delegates.set(name, kept?.delegates.get(name) ?? (await openDelegate(checked, entry, parts.outbound)));
    const { proxy, login } = entry;
    if (!proxy) continue;
    const hooks = parts.hooksFor(name, login.protocol === 'handoff');
    proxied.set(proxy.host, kept?.proxied.get(proxy.host) ?? { environment: name, proxy: openProxy(proxy, hooks) });
  }
  const portals = new Map<PortalName, LivePortal>();
  for (const [name, { preset, settings, signing, loginPath, homeUrl, metadataAtLoginPath }] of checked.portals) {
    const signer = await openPortalSigner({ name, preset, settings, signing }, parts);
    const open = openPortal(preset, settings);
    const { tokenLifetime } = settings;
    const home = homeUrl !== undefined && { homeUrl };
    portals.set(name, { open, signer, tokenLifetime, loginPath, metadataAtLoginPath, ...home });
  }
  const { portals: parties, provider } = await openRelyingParties(checked, parts);
  for (const [name, party] of parties) portals.set(name, party);
  const signers = [...portals.values()].map(({ signer }) => signer);
  const receivers = await openReceivers(receiverSetups(checked), parts, previous?.receivers);
  const { publicOrigin, issuer, routes, logout, loginLifetime, trustedProxies, rateLimit, record } = checked;
  const live: Live = {
    routes,
    publicOrigin,
    portals,
    delegates,
    proxied,
    addresses: fixedAddresses(addressed(checked), provider !== undefined),
    logout,
    loginLifetime,
    formAction: formActionOf(checked),
    exchange: openExchangeIndex(routes.environments, delegates),
    directory: openDirectory(checked.environments.values()),
    look: openLook(checked.branding),
    ...(trustedProxies.rules.length > 0 && { trustedProxies }),
    ...(rateLimit && { rateLimit: openRateLimit(rateLimit.perSecond, rateLimit.burst) }),
    ...(provider && { provider }),
    ...(record && { record: openRecording(routes, record.keep, parts.store) }),
    metadata: JSON.stringify(describeIssuer(issuer, publicOrigin, signers, provider)),
    jwks: openKeySet([...signers, ...receivers.signers]),
    receivers: receivers.receivers,
    senders: new Map([...checked.environments].flatMap(([name, { receive }]) => (receive ? [[name, receive]] : []))),
  };
  return { checked, live, receivers };
}

function openRecording(routes: Routes, keep: number, store: Store): NonNullable<Live['record']> {
  const reads = readsOf(routes);
  return (...decision) => store.record(JSON.stringify(recordOf(reads, ...decision)), keep);
}

/** Ends what a replaced routes file had open and the new one does not use. */
export function closeUnused({ live: old, receivers }: Opened, next?: Opened): void {
  for (const [name, delegate] of old.delegates) if (next?.live.delegates.get(name) !== delegate) delegate.close?.();
  for (const [host, { proxy }] of old.proxied) {
    // What is under way ends with it; a proxy never rejects.
    if (next?.live.proxied.get(host)?.proxy !== proxy) void proxy.close();
  }
  closeReceivers(receivers, next?.receivers);
}

/**
 * Metadata of the issuer (OpenID Connect Discovery 1.0 §3, RFC 8414 §2): what a portal needs to verify our tokens, and
 * where one can be traded for. Without relying parties no authorization endpoint is behind it, so none is named, and no
 * response type or scope.
 */
function describeIssuer(issuer: string, origin: string, signers: readonly Signer[], provider?: Provider) {
  // No id_token is made with a shared secret, and who believed so could be given one made with our public key.
  const named = provider ? signers.filter(({ algorithm }) => !isHmac(algorithm)) : signers;
  const own = {
    issuer,
    token_endpoint: `${origin}${EXCHANGE}`,
    jwks_uri: `${origin}/.well-known/jwks.json`,
    grant_types_supported: [TOKEN_EXCHANGE],
    token_endpoint_auth_methods_supported: ['none'],
    id_token_signing_alg_values_supported: [...new Set(named.map(({ algorithm }) => algorithm))],
  };
  return provider ? { ...own, ...provider.metadata, ...together(own, provider.metadata) } : own;
}

/** Lists that both have something to say about: the token endpoint of the provider takes tokens in trade, too. */
const together = (own: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(own).flatMap(([name, value]) => {
      const more = other[name];
      return Array.isArray(value) && Array.isArray(more) ? [[name, [...new Set([...value, ...more])]]] : [];
    }),
  );

/** The email form ends at whichever environment the address belongs to, so its schemes are all that can be said. */
function formActionOf({ environments }: CheckedRoutes): string {
  const schemes = new Set([...environments.values()].map(({ login }) => new URL(loginAddress(login)).protocol));
  return ["'self'", ...schemes].join(' ');
}

/** The former routes, where everything that this environment is opened from stands in them alike. */
function unchanged(checked: CheckedRoutes, previous: Opened | undefined, name: EnvironmentName): Live | undefined {
  if (!previous || previous.checked.publicOrigin !== checked.publicOrigin) return undefined;
  const openedFrom = ({ environments }: CheckedRoutes) => {
    const { login, trust, proxy } = environments.get(name) ?? {};
    return { login, trust, proxy };
  };
  return isDeepStrictEqual(openedFrom(previous.checked), openedFrom(checked)) ? previous.live : undefined;
}

/** How this environment signs people in, and through which door they reach it. */
async function openDelegate(checked: CheckedRoutes, entry: CheckedEnvironment, outbound: Outbound): Promise<Delegate> {
  const { environment, login, proxy, trust } = entry;
  const settings = { environment: environment.name, publicOrigin: checked.publicOrigin };
  const openCaller = () => outbound.callerFor(environment.name, trust);
  switch (login.protocol) {
    case 'handoff': {
      const delegate = await openHandoffDelegate(checked, environment.name, login, openCaller);
      return proxy ? throughEntrance(delegate, proxy.origin) : delegate;
    }
    case 'oidc':
      return openOidc({ ...login, ...settings }, openCaller());
    case 'saml':
      return openSaml({ ...login, ...settings });
    case 'session':
      return openSession({ ...login, ...settings }, openCaller());
  }
}

async function openHandoffDelegate(
  { publicOrigin, issuer: routerIssuer }: CheckedRoutes,
  environment: EnvironmentName,
  login: CheckedHandoff,
  openCaller: () => Caller,
): Promise<Delegate> {
  const { audience } = login;
  return openHandoff(
    {
      environment,
      loginUrl: login.url,
      publicOrigin,
      issuer: login.issuer,
      routerIssuer,
      audience: audience.is === 'text' ? audience.text : audience.is === 'router' ? undefined : audience.is,
      nonce: login.nonce,
      jti: login.jti,
      maxLifetime: login.maxLifetime,
      unsolicited: login.unsolicited === 'allowed',
      sendsTo: login.sendsTo,
    },
    await openVerifier(login.key, openCaller),
  );
}

async function openVerifier(key: CheckedKey, openCaller: () => Caller): Promise<Verifier> {
  switch (key.kind) {
    case 'secret':
      return hmacVerifier(key.algorithms, hmacKey(key.secret));
    case 'public_key':
      return openPublicKey(key.text, key.algorithms);
    case 'jwks_url': {
      const { url, algorithms } = key;
      const caller = openCaller();
      const fetch = () => caller.call({ url, headers: { accept: 'application/json' } });
      return { ...openJwks({ url, algorithms, fetch }), close: () => void caller.close() };
    }
  }
}

async function openPortalSigner(
  { name, preset, settings, signing }: Pick<CheckedPortal, 'preset' | 'settings' | 'signing'> & { name: PortalName },
  { store, clock, signingThread }: Pick<Parts, 'store' | 'clock' | 'signingThread'>,
): Promise<Signer> {
  const { algorithm } = signing;
  const open = (key: SigningKey) => openTokenSigner(preset, settings, algorithm, key, signingThread);
  if ('secret' in signing || 'privateKeyPem' in signing) {
    const { next } = signing;
    const first = await open(signing);
    return next ? openScheduledSigner(first, await open(next), next.at, clock) : first;
  }
  if (isHmac(algorithm)) throw new Error(`portal ${name} signs with ${algorithm} and has no secret`);
  const kept = openKeptKeys(store, keptUnder(name, algorithm), algorithm);
  return openRotatingSigner(algorithm, kept, clock, (privateKeyPem) => open({ privateKeyPem }));
}

/** The key set, made anew for each reader where keys change by themselves. */
function openKeySet(signers: readonly Signer[]): Live['jwks'] {
  if (!signers.some(({ published }) => published)) {
    const text = JSON.stringify(publishedKeys(signers));
    return () => text;
  }
  const known = async (signer: Signer) =>
    signer.published ? (await signer.published()).map((publicJwk) => ({ publicJwk })) : [signer];
  return async () => JSON.stringify(publishedKeys((await Promise.all(signers.map(known))).flat()));
}
