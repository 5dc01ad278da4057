import type { ClaimValue } from '../core/environment.ts';
import { Refusal } from '../core/reason.ts';
import type { MadeClaims } from './claim-plan.ts';
import type { ClaimSetting, Minting } from './claim-read.ts';
import type { PortalPreset } from './preset.ts';
import { fillText } from './template.ts';

/** One rule of the portal. Throws `Refusal` with the reason by which the portal itself would refuse. */
export type Check = (claims: MadeClaims, minting: Minting) => void;

/**
 * Compiles the portal's own rules over a finished token: what it would refuse is refused here, where the operator
 * can see why, and before the login is used up.
 *
 * Most of it cannot fail for a preset that claim-plan.ts carries out as it was meant. It is no repetition where the
 * claims and the rules were written by different hands: a preset file of an operator's own, `iss` or `aud` from a
 * setting that was copied with a slash too few (`expects`), a time or an id that an environment provides in place of
 * ours, a key that gave way to another claim. It looks at values alone, never at how they came about. What gives
 * rights is not looked at again: that depends on the environment (claim-read.ts), and no portal could tell.
 * The size is the delivery's to judge, which knows what carries the token.
 */
export function planPreflight({ preset, config }: ClaimSetting): Check {
  const checks = [
    ...planPresence(preset),
    ...planTypes(preset),
    ...planExpected(preset, config),
    ...planReplay(preset),
    ...planTimes(preset),
  ];
  return (claims, minting) => {
    for (const check of checks) check(claims, minting);
  };
}

/** What is required is there, and says something. */
function planPresence({ token }: PortalPreset): Check[] {
  const required = Object.entries(token.claims).flatMap(([name, rule]) => (rule.required ? [name] : []));
  return required.map((name) => (claims) => {
    const value = claimOf(claims, name);
    if (value === undefined || value === null || (typeof value === 'string' && value.trim() === ''))
      throw new Refusal('jwt_missing_required_claim', name);
  });
}

/** Claims of RFC 7519 §4.1 have one type everywhere; `aud` is a list nowhere, since some verifiers take none. */
const TEXTS = ['iss', 'sub', 'aud', 'jti'] as const;
const TIMES = ['iat', 'exp', 'nbf'] as const;

function planTypes({ token }: PortalPreset): Check[] {
  if (token.format !== 'jws') return [];
  const [texts, times] = [TEXTS, TIMES].map((names) => names.filter((name) => Object.hasOwn(token.claims, name)));
  const hasText = (value: unknown) => typeof value === 'string';
  return [
    ...(texts ?? []).map((name) => typed(name, hasText)),
    ...(times ?? []).map((name) => typed(name, Number.isSafeInteger)),
  ];
}

const typed =
  (name: string, fits: (value: unknown) => boolean): Check =>
  (claims) => {
    const value = claimOf(claims, name);
    if (value !== undefined && !fits(value)) throw new Refusal('jwt_claim_malformed', name);
  };

const MISMATCH = { iss: 'jwt_issuer_mismatch', aud: 'jwt_audience_mismatch' } as const;

/** What the portal compares `iss` and `aud` with; an empty text in place of a setting: it does not compare. */
export function expectedTexts(
  { token }: PortalPreset,
  config: Readonly<Record<string, string>>,
): { readonly name: 'iss' | 'aud'; readonly text: string }[] {
  return (['iss', 'aud'] as const).flatMap((name) => {
    const template = token.expects?.[name];
    const text = template === undefined ? '' : fillText(template, config)({});
    return text === '' ? [] : [{ name, text }];
  });
}

function planExpected(preset: PortalPreset, config: Readonly<Record<string, string>>): Check[] {
  return expectedTexts(preset, config).map(({ name, text }) => (claims) => {
    if (claimOf(claims, name) !== text) throw new Refusal(MISMATCH[name], `the portal expects ${text}`);
  });
}

/** The claim that ties the token to the request's key or nonce holds that key, byte for byte. */
function planReplay({ token, authn_request: { params } }: PortalPreset): Check[] {
  if (token.replay !== 'request_key' && token.replay !== 'nonce') return [];
  const role = token.replay === 'nonce' ? 'nonce' : 'replay_key';
  const key = Object.keys(params).find((name) => params[name]?.role === role && params[name].required) ?? '';
  const claim = Object.keys(token.claims).find((name) => token.claims[name]?.from === `request.${key}`) ?? '';
  return [
    (claims, { request }) => {
      const wanted = request.params[key];
      if (wanted === undefined || claimOf(claims, claim) !== wanted)
        throw new Refusal('jwt_replayed', `${claim} is not the ${key} of this login`);
    },
  ];
}

/** Issued now, in no other past or future; and valid, for no longer than the portal takes. */
function planTimes({ token }: PortalPreset): Check[] {
  if (token.format !== 'jws') return [];
  const { max } = token.lifetime;
  const oldest = token.max_age ?? max;
  const scale = (name: string) => (token.claims[name]?.unit === 'ms' ? 1000 : 1);
  const [issuedIn, expiresIn] = [scale('iat'), scale('exp')];
  return [
    (claims, { now }) => {
      const iat = secondsOf(claims, 'iat', issuedIn);
      const exp = secondsOf(claims, 'exp', expiresIn);
      if (iat !== undefined && iat > now) throw new Refusal('jwt_iat_in_future', `by ${iat - now} s`);
      if (iat !== undefined && now - iat > oldest) throw new Refusal('jwt_too_old', `by ${now - iat - oldest} s`);
      if (exp !== undefined && exp <= now) throw new Refusal('jwt_expired', `${now - exp} s ago`);
      if (exp !== undefined && exp - (iat ?? now) > max) throw new Refusal('jwt_lifetime_too_long', `above ${max} s`);
    },
  ];
}

const claimOf = (claims: MadeClaims, name: string): ClaimValue | undefined =>
  Object.hasOwn(claims, name) ? claims[name] : undefined;

const secondsOf = (claims: MadeClaims, name: string, unit: number): number | undefined => {
  const value = claimOf(claims, name);
  return typeof value === 'number' ? value / unit : undefined;
};
