/**
 * The contract of a protocol: how an environment is asked to sign its own person in, how its answer is read, and
 * how its session is ended where the protocol can. A protocol owns the words on the wire between router and
 * environment and everything that makes an answer believable (signature, issuer, audience, nonce, age). It leaves
 * to others which environment is asked, what the environment may assert, single use, and every cookie of ours.
 * Control leaves it as a departure, an assertion, or a thrown `Refusal`. It knows no HTTP server, no store and no
 * other protocol.
 */
import type { Assertion } from '../core/environment.ts';
import type { Instant } from '../core/time.ts';
import type { CompactToken } from '../keys/compact.ts';

export type Delegate = {
  /**
   * Where the browser goes so that the environment can sign the person in; or what the environment says at once,
   * where it knows this browser already and the protocol can ask it without a detour. Throws `Refusal`.
   */
  begin(login: BeginLogin, now: Instant): Begun | Promise<Begun>;
  /** What came back to the return address → a verified assertion. Throws `Refusal`. */
  complete(answer: Answer, login: CarriedLogin, now: Instant): Assertion | Promise<Assertion>;
  /** Under which name the state comes back; `state` unless the protocol has a word of its own. */
  readonly stateParam?: string;
  /** Reads a token that nobody asked for. Present only where the operator allows it. Throws `Refusal`. */
  readonly completeUnsolicited?: (token: string, now: Instant) => Assertion | Promise<Assertion>;
  /** The `iss` of the tokens that the environment signs, where its protocol has tokens that can be held and shown. */
  readonly tokenIssuer?: string;
  /**
   * Reads a token that somebody brought to trade it for a portal token, outside of any login. Present only where such
   * a token can be told from one of a login, which may have leaked on its way. Throws `Refusal`.
   */
  readonly completeTraded?: (token: string, now: Instant) => Assertion | Promise<Assertion>;
  /** Present where the environment can sign that a person's session ended, with what it signs its other tokens. */
  readonly logoutTokens?: LogoutTokens;
  /** Present where the protocol can end the environment's session through the browser. */
  readonly logout?: DelegateLogout;
  /** What the environment's administrator has to read about the router (SAML metadata); public. */
  readonly describe?: () => { readonly contentType: string; readonly body: string };
  /** Ends timers and sockets. */
  close?(): void;
};

/** What of a logout token (Back-Channel Logout 1.0 §2.6) depends on who signs it. */
export type LogoutTokens = {
  /** `iss`, as text. */
  readonly issuer: string;
  /** `aud`: what the environment calls the router. */
  readonly audience: string;
  /** Whether `typ` has to be `logout+jwt`: §2.4 recommends it, and providers of older days write `JWT` or nothing. */
  readonly typed: 'required' | 'not_required';
  /** Its algorithms and keys. Throws `Refusal`. */
  verify(token: CompactToken, now: Instant): void | Promise<void>;
};

export type DelegateLogout = {
  /**
   * Where the browser goes to end the environment's session; `undefined` when the environment cannot. Throws `Refusal`.
   */
  begin(logout: BeginLogout, now: Instant): Departure | undefined | Promise<Departure | undefined>;
  /**
   * What came back to the logout address: returns when the environment says that its session ended. Throws `Refusal`.
   */
  complete(answer: Answer, logout: CarriedLogout, now: Instant): void | Promise<void>;
  /**
   * Reads the environment's own request to end a session, brought by the person's browser; `undefined` when it is
   * none. Throws `Refusal`.
   */
  readonly receive?: (answer: Answer, now: Instant) => LogoutNotice | undefined | Promise<LogoutNotice | undefined>;
};

/** Two ways of handing the login to the environment; a protocol calls exactly one of them, once. */
export type StateMaker = {
  /**
   * Seals the login together with what the protocol has to remember of it (`carry`, at most 256 characters, not
   * readable by anybody) → the state, which has to come back. Characters of base64url and `.` only, some 500 of them.
   */
  state(carry?: string): string;
  /** The same for a protocol with room for 80 bytes (SAML Bindings §3.4.3): the seal stays in a cookie. */
  shortState(carry?: string): string;
};

export type BeginLogin = StateMaker & {
  /** Fresh for this login, 128 bits in base64url. The environment may see it. */
  readonly nonce: string;
  /** The person's email where it is known, so that the environment need not ask again. */
  readonly loginHint?: string;
  /** The portal's own return address, where this login has one: for environments that know no router. */
  portalReturn(): string | undefined;
  readonly browser: Browser;
};

/** What the person's browser sent along. */
export type Browser = {
  /** Values of the cookies of this name, in the order in which they came; ours are never among them. */
  cookies(name: string): readonly string[];
};

export type Begun = Departure | Assertion;

/** A redirect, or a form that the browser posts. */
export type Departure =
  | { readonly url: string }
  | { readonly action: string; readonly fields: Readonly<Record<string, string>> };

/** What the router remembered of this login, in the sealed state. */
export type CarriedLogin = { readonly nonce: string; readonly carry?: string; readonly browser: Browser };

export type BeginLogout = StateMaker & {
  /** The assertion's `session`, as far as this browser still has it. */
  readonly session?: string;
};

export type CarriedLogout = { readonly carry?: string };

/** An environment says that one of its sessions ended. */
export type LogoutNotice = {
  /** Whether a visit with this `session` is of that session. */
  concerns(session: string): boolean;
  /** Whose they are (`Assertion.subject`), and when the environment said so, by its own clock. */
  readonly subject: string;
  readonly issuedAt: Instant;
  /** Where the browser goes next, with the router's answer: whether all that it knew of has ended. */
  reply(ended: boolean): Departure;
};

/** Parameters of the return address and of a posted form, each at most once. */
export type Answer = ReadonlyMap<string, string>;
