import type { PortalName } from '../core/names.ts';
import { type NeededClaim, neededClaims } from '../portals/claim-plan.ts';
import type { PortalPreset } from '../portals/preset.ts';
import type { Path } from './problem.ts';
import type { EnvironmentDraft } from './schema.ts';
import { environmentsOf, portalsOf, type Survey } from './survey.ts';

/**
 * Claims that a portal insists on and an environment may not assert: each login of that environment's people to that
 * portal would be refused before a token leaves (`jwt_missing_required_claim`). A notice, since people of that
 * environment may have no business there. One for each portal and claim: ten thousand environments may lack it.
 */
export function checkPortalClaims(survey: Survey, presets: ReadonlyMap<PortalName, PortalPreset>): void {
  const environments = environmentsOf(survey).filter(({ entry }) => entry.may_assert && !entry.disabled);
  for (const { name, entry: portal } of portalsOf(survey)) {
    const preset = presets.get(name as PortalName);
    if (!preset) continue;
    const only = portal.environments && new Set(portal.environments);
    const offered = environments.filter((environment) => !only || only.has(environment.name));
    for (const needed of neededClaims(preset.token)) {
      const lacking = offered.filter(({ entry }) => !maySay(entry, needed));
      const [first] = lacking;
      if (!first) continue;
      const many = lacking.length === 1 ? '' : ` (${lacking.length} environments may not)`;
      const message = `may not assert ${needed.name}, without which ${name} (${preset.title}) takes nobody${many}`;
      survey.report.notice(placeOf(first), message, remedyFor(needed, name), 'key');
    }
  }
}

function maySay({ may_assert: mayAssert, sets = {} }: EnvironmentDraft, { name, needsGrant }: NeededClaim): boolean {
  if (Object.hasOwn(sets, name)) return true;
  if (!mayAssert?.claims?.includes(name)) return false;
  return !needsGrant || (mayAssert.grants?.includes(name) ?? false);
}

const placeOf = ({ path, entry }: { readonly path: Path; readonly entry: EnvironmentDraft }): Path =>
  entry.may_assert?.claims ? [...path, 'may_assert', 'claims'] : [...path, 'may_assert'];

const remedyFor = ({ name, needsGrant }: NeededClaim, portal: string): string =>
  `Add ${name} to may_assert.claims${needsGrant ? ' and to may_assert.grants' : ''}, or list in portals.${portal}.environments whose people go there.`;
