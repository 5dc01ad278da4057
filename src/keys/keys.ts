/**
 * The contracts of signing, verifying and sealing. Keys are opened once, when the routes are read; nothing on
 * the login path imports a key, and a key never leaves as text.
 */
import type { Instant } from '../core/time.ts';
import type { CompactToken } from './compact.ts';

export const HMAC_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;
export const PUBLIC_KEY_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

export type HmacAlgorithm = (typeof HMAC_ALGORITHMS)[number];
export type PublicKeyAlgorithm = (typeof PUBLIC_KEY_ALGORITHMS)[number];
export type Algorithm = HmacAlgorithm | PublicKeyAlgorithm;

export const isHmac = (algorithm: Algorithm): algorithm is HmacAlgorithm => algorithm.startsWith('HS');

/** Makes the signature of portal tokens. */
export type Signer = {
  readonly algorithm: Algorithm;
  /** JSON text of the claims → compact JWS with header `{alg, typ: "JWT"[, kid]}`. */
  sign(claims: string): string | Promise<string>;
  /** The public key as JWKS member, for a key that has one and never changes. */
  readonly publicJwk?: PublishedJwk;
  /** In its place where keys change: those that whoever verifies has to know now. */
  published?(): Promise<readonly PublishedJwk[]>;
};

/** A public key as it stands in a key set (RFC 7517 §4). */
export type PublishedJwk = Readonly<Record<string, unknown>>;

/** Checks the signature of an environment's token: `alg` against its list, then the key. Throws `Refusal`. */
export type Verifier = {
  verify(token: CompactToken, now: Instant): void | Promise<void>;
  close?(): void;
};

/** Authenticated encryption of small texts that travel through browsers. */
export type Sealer = {
  /** `bound` is what the text belongs to (purpose first); it is not stored and must be given again to open it. */
  seal(bound: readonly string[], text: string, now: Instant): string;
  /** `undefined` when altered, bound to something else, or sealed with a key that has gone. */
  open(bound: readonly string[], sealed: string): string | undefined;
};
