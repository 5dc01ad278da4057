import type { Reads } from './reads.ts';
import { withhold } from './withhold.ts';

/**
 * What the new routes tell apart and records made under the old ones cannot show, because it was reduced when it
 * was recorded. Sentences for the operator; a decision that turns on one of these may be judged wrongly.
 */
export function blindSpots(old: Reads, next: Reads): string[] {
  const spots: string[] = [];
  for (const value of next.named) {
    if (withhold(value, old.named) !== value)
      spots.push(`a rule compares with ${JSON.stringify(value)}, which is never recorded as it stands`);
  }
  for (const [origin, apps] of next.byAppOrigin) {
    const known = old.byAppOrigin.get(origin) ?? [];
    for (const { path } of apps) {
      if (path === '/' || known.some((app) => app.path === path)) continue;
      spots.push(`pages below ${origin}${path} were recorded as pages of ${origin}`);
    }
  }
  return [...new Set(spots)];
}
