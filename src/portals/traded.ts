import type { PortalPreset } from './preset.ts';

/** The preset as it holds for a token that was traded for: with the claims of `traded` in place of a login's. */
export function tradedPreset(preset: PortalPreset): PortalPreset {
  const { token, traded } = preset;
  if (!traded) return preset;
  return { ...preset, token: { ...token, claims: { ...token.claims, ...traded.claims }, replay: traded.replay } };
}
