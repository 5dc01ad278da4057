import { checkToken } from './check-token.ts';
import type { Report } from './portal-problem.ts';
import type { PortalPreset } from './preset.ts';
import { allClaims } from './preset-token.ts';
import { tradedPreset } from './traded.ts';

/** What `traded` says fits the rest: it is held to the rules of `token`, and asks for nothing that a trade has not. */
export function checkTraded(preset: PortalPreset, report: Report): void {
  const { traded } = preset;
  if (!traded) return;
  const merged = tradedPreset(preset);
  const written = new Set(Object.keys(traded.claims));
  // Faults of what stands in `token` are reported there.
  checkToken(merged, ([, part, name, ...rest], message) => {
    if (part === 'claims' && written.has(String(name))) report(['traded', 'claims', name ?? '', ...rest], message);
    if (part === 'replay' && preset.token.replay !== traded.replay) report(['traded', 'replay'], message);
  });
  for (const [name, { from }] of Object.entries(traded.claims)) {
    if (from?.startsWith('user.'))
      report(['traded', 'claims', name, 'from'], 'what is said about the person stands under token.claims');
  }
  for (const { name, rule } of allClaims(merged.token)) {
    if (!rule.required || !(rule.from?.startsWith('request.') || rule.template?.includes('{request.'))) continue;
    const path = written.has(name) ? ['traded', 'claims', name] : ['traded', 'claims'];
    report(path, `${name} is required from the request, which a trade has not`);
  }
}
