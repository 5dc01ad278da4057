import { fillSettings } from './check-settings.ts';
import type { PortalProblem } from './portal-problem.ts';
import { expectedTexts } from './preflight.ts';
import type { PortalPreset } from './preset.ts';
import { fillText } from './template.ts';

/**
 * Compares an `iss` or `aud` that is the same in every token with what the portal expects, before there is a token:
 * faults of one portal's settings, as `checkSettings` finds them. A portal that has such a fault can be opened, and
 * every login to it is refused by the preflight.
 */
export function checkExpected(
  preset: PortalPreset,
  settings: Readonly<Record<string, string>>,
  publicOrigin: string,
): PortalProblem[] {
  const config = fillSettings(preset, settings, publicOrigin);
  return expectedTexts(preset, config).flatMap(({ name, text }) => {
    const made = fixedText(preset, name, config);
    if (made === undefined || made === text) return [];
    const message = `make ${name} ${JSON.stringify(made)}, and ${preset.title} expects ${JSON.stringify(text)}`;
    return [{ path: ['settings'], message }];
  });
}

/** The text of a claim that no request and no environment has a part in. */
function fixedText({ token }: PortalPreset, name: string, config: Readonly<Record<string, string>>) {
  const { from, template, const: constant } = token.claims[name] ?? {};
  if (from?.startsWith('config.')) return config[from.slice('config.'.length)];
  if (template === undefined || template.includes('{request.')) return constant;
  return fillText(template, config)({});
}
