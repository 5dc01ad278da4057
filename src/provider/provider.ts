/**
 * The contract of the router as an OpenID provider: for portals that sign people in with "any OpenID provider"
 * (`oidc` in routes.yaml). The room owns the protocol's endpoints, its sessions, codes and tokens; the library
 * oidc-provider speaks the protocol. It leaves to others who a person is: a login is handed out as a redirect to the
 * portal's login path, runs like every other login, and is handed back here as an identity. It leaves to them, too, to
 * tell relying parties that somebody signed out (logout/outbox.ts). Control leaves the room as what is to be answered, or as a thrown `Refusal`. It knows no HTTP server.
 */
import type { Identity } from '../core/environment.ts';
import type { EnvironmentName, PortalName } from '../core/names.ts';
import type { PortalRequest } from '../core/portal.ts';
import type { Reason } from '../core/reason.ts';
import type { Instant } from '../core/time.ts';
import type { PublicKeyAlgorithm } from '../keys/keys.ts';

export type Provider = {
  /** What the issuer's metadata says beside the rest (OpenID Connect Discovery 1.0 §3): only what works. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /**
   * The authorization endpoint (OIDC Core §3.1.2). Throws `Refusal` where there is nobody to send the browser back to.
   */
  authorize(asked: Asked): Promise<Carried>;
  /** The same, once the person has been signed in. Throws `Refusal`. */
  resume(uid: string, asked: Asked): Promise<Carried>;
  /** The endpoints that relying parties call. Faults are answered as the protocol says; only ours throw. */
  call(endpoint: 'token' | 'userinfo', asked: Asked): Promise<Carried>;
  /** Whether it was this browser that came from the authorization endpoint with this login, and for this portal. */
  began(request: PortalRequest, cookies: string): boolean;
  /**
   * Throws `Refusal` where the login cannot end any more; `finish` then makes it so, and says where the browser goes.
   */
  prepare(request: PortalRequest, identity: Identity): Promise<{ finish(): Promise<string> }>;
  /** Reads a request to the end session endpoint (RP-Initiated Logout 1.0 §2). Throws `Refusal`. */
  readLogout(params: ReadonlyMap<string, string>): Promise<LogoutRequest>;
  /** Who is signed in at relying parties through this browser. */
  sessionsOf(cookies: string): readonly PartySession[];
  /**
   * Ends a session here with its tokens. Its relying party is told from the outbox (logout/outbox.ts). Returns what the
   * browser has to forget and to load.
   */
  end(session: PartySession): Promise<Ended>;
};

/** A request to one of the endpoints. */
export type Asked = {
  readonly method: string;
  /** Parameters of the query and of the form. */
  readonly params: ReadonlyMap<string, string>;
  readonly cookies: string;
  readonly header: (name: string) => string | undefined;
};

/** The answer, and what the log says about it. */
export type Carried = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `Set-Cookie` lines. */
  readonly cookies: readonly string[];
  readonly body: string;
  /** In place of a redirect: what the browser has to post. */
  readonly form?: Form;
  /** Present where this ended something: tokens were minted, or somebody was refused. */
  readonly outcome?: { readonly reason: Reason | 'ok'; readonly portal?: PortalName; readonly detail?: string };
};

export type Form = { readonly action: string; readonly fields: Readonly<Record<string, string>> };

export type LogoutRequest = {
  /** Absent where nobody says who asks. */
  readonly portal?: PortalName;
  /** Whose session it names. */
  readonly subject?: string;
  /** Where the browser goes afterwards: one of the portal's own addresses. */
  readonly next?: string;
};

/** A person who is signed in at a relying party, as this browser remembers it. */
export type PartySession = {
  readonly portal: PortalName;
  readonly environment: EnvironmentName;
  readonly subject: string;
  /** What the relying party knows the session by. */
  readonly sid: string;
  /** What the provider knows it by. */
  readonly uid: string;
  /** What all of its tokens hang on. */
  readonly grant: string;
  /** When it was begun, or gone on with, for the last time; absent in cookies of older versions. */
  readonly at?: Instant;
};

export type Ended = {
  /** `Set-Cookie` lines. */
  readonly cookies: readonly string[];
  /** What the browser loads in a frame (Front-Channel Logout 1.0 §3). */
  readonly frame?: string;
};

/** A portal as a client of this provider, checked. */
export type RelyingParty = {
  readonly portal: PortalName;
  readonly clientId: string;
  /** Absent for a public client, which has to use PKCE (RFC 7636). */
  readonly clientSecret?: string;
  readonly clientAuth: ClientAuth;
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
  readonly backchannelLogoutUri?: string;
  readonly frontchannelLogoutUri?: string;
  readonly scopes: readonly Scope[];
  /** What its id_tokens and logout tokens are signed with. */
  readonly algorithm: IdTokenAlgorithm;
};

export const CLIENT_AUTH = ['client_secret_basic', 'client_secret_post', 'none'] as const;
export type ClientAuth = (typeof CLIENT_AUTH)[number];

export const SCOPES = ['openid', 'email', 'profile', 'offline_access'] as const;
export type Scope = (typeof SCOPES)[number];

export const ID_TOKEN_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const satisfies PublicKeyAlgorithm[];
export type IdTokenAlgorithm = (typeof ID_TOKEN_ALGORITHMS)[number];

export type ProviderSettings = {
  readonly issuer: string;
  /** Without a trailing slash. */
  readonly publicOrigin: string;
  readonly parties: readonly RelyingParty[];
  /** Seconds that a person may take to sign in. */
  readonly loginLifetime: number;
  /** Claims beside `email` that environments may assert. */
  readonly claims: readonly string[];
  /** Parameters that discovery looks at; they are passed on from an authorization request. */
  readonly hints: readonly string[];
};

/** What the room asks back. */
export type ProviderHooks = {
  /** Whether people of this environment may come in to this portal now. */
  admits(portal: PortalName, environment: EnvironmentName): boolean;
  /**
   * Whether this browser has a visit to the portal through the environment: it was not signed out since, by anybody.
   */
  visited(cookies: string, portal: PortalName, environment: EnvironmentName): Promise<boolean>;
  /** This browser's visit has signed its person in at a relying party: whoever ends the one has to end the other. */
  signedIn(cookies: string, session: PartySession): Promise<void>;
  now(): Instant;
  /** Something that should not happen. */
  fault(error: unknown): void;
};
