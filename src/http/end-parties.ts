import type { PartySession } from '../provider/provider.ts';
import { clearVisitCookie } from './cookies.ts';
import type { Turn } from './turn.ts';

export type EndedParties = {
  /** Whose relying parties are still to be told. */
  readonly sessions: readonly PartySession[];
  /** `Set-Cookie` lines. */
  readonly cookies: readonly string[];
  /** What the browser has to load in frames. */
  readonly frames: readonly string[];
};

/** Ends this browser's sessions at relying parties, those of `concerned`, whichever door the sign-out came in by. */
export async function endParties(
  { live, call }: Turn,
  concerned: (session: PartySession) => boolean,
): Promise<EndedParties> {
  const sessions = live.provider?.sessionsOf(call.cookies).filter(concerned) ?? [];
  const cookies: string[] = [];
  const frames: string[] = [];
  for (const session of sessions) {
    const ended = await live.provider?.end(session);
    cookies.push(clearVisitCookie(session.portal, session.environment), ...(ended?.cookies ?? []));
    if (ended?.frame !== undefined) frames.push(ended.frame);
  }
  return { sessions, cookies, frames };
}
