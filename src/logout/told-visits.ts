import { latestVisit, type Visit } from '../core/visit.ts';

/**
 * The visits whose environments are told behind the person's back. `origin`: those of the latest visit's environment;
 * otherwise all. `all` adds nobody: an environment without a visit here calls the person by a name that nobody knows. A
 * session that several visits came from is told of once; one without a name not at all.
 */
export function toldVisits(fanOut: 'origin' | 'visited' | 'all', visits: readonly Visit[]): readonly Visit[] {
  const origin = latestVisit(visits)?.environment;
  const sessions = new Map<string, Visit>();
  for (const visit of visits) {
    const { environment, subject, sid } = visit;
    if (fanOut === 'origin' && environment !== origin) continue;
    if (subject === undefined && sid === undefined) continue;
    const session = JSON.stringify([environment, subject, sid]);
    if (!sessions.has(session)) sessions.set(session, visit);
  }
  return [...sessions.values()];
}
