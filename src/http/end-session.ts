import type { PortalName } from '../core/names.ts';
import type { PartySession } from '../provider/provider.ts';
import type { Answer } from './answer.ts';
import { parameters } from './call.ts';
import { askedByGet, providerOf } from './relying-parties.ts';
import { endVisits } from './sign-out.ts';
import type { Turn } from './turn.ts';

/**
 * The end session endpoint (RP-Initiated Logout 1.0 §2): a sign-out as any other, which ends at an address of the relying
 * party. Nobody is asked whether they mean it; as at the Remote Logout URL, a link can end visits and nothing else.
 */
export async function endSession(turn: Turn): Promise<Answer> {
  const byGet = askedByGet(turn);
  if (byGet) return byGet;
  const { live, call } = turn;
  const provider = providerOf(turn);
  const { portal, subject, next } = await provider.readLogout(parameters(call));
  const sessions = provider.sessionsOf(call.cookies);
  const ends = portal === undefined ? [...new Set(sessions.map((session) => session.portal))] : [portal];
  const name = ends[0] ?? anyParty(live.portals);
  if (name === undefined) throw new Error('a provider without relying parties');
  // A hint that names somebody else is late: whoever is signed in now has not asked for anything.
  const stays = subject !== undefined && isOfOthers(sessions, portal, subject);
  return endVisits(turn, name, stays ? [] : ends, next);
}

const isOfOthers = (sessions: readonly PartySession[], portal: PortalName | undefined, subject: string): boolean => {
  const theirs = sessions.filter((session) => session.portal === portal);
  return theirs.length > 0 && theirs.every((session) => session.subject !== subject);
};

const anyParty = (portals: Turn['live']['portals']): PortalName | undefined =>
  [...portals].find(([, { relyingParty }]) => relyingParty)?.[0];
