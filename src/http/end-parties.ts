import type { PartySession } from '../provider/provider.ts';
import { clearVisitCookie } from './cookies.ts';
import { detailOf } from './logout-audit.ts';
import type { Turn } from './turn.ts';

/**
 * Ends this browser's sessions at relying parties, those of `concerned`, whichever door the sign-out came in by. They are
 * told at once, and each of them once: one that cannot be reached holds up nobody, and is not told again. Returns
 * `Set-Cookie` lines, and what the browser has to load in frames.
 */
export async function endParties(
  turn: Turn,
  reference: string,
  concerned: (session: PartySession) => boolean,
): Promise<{ readonly cookies: readonly string[]; readonly frames: readonly string[] }> {
  const cookies: string[] = [];
  const frames: string[] = [];
  for (const session of turn.live.provider?.sessionsOf(turn.call.cookies).filter(concerned) ?? []) {
    const ended = await endParty(turn, reference, session);
    cookies.push(clearVisitCookie(session.portal, session.environment), ...(ended?.cookies ?? []));
    if (ended?.frame !== undefined) frames.push(ended.frame);
  }
  return { cookies, frames };
}

/** Ends one of them, whoever asked for it; `undefined` where there are no relying parties any more. */
export async function endParty({ surface, live }: Turn, reference: string, session: PartySession) {
  const { portal, environment } = session;
  const record = (reason: 'party_told' | 'party_not_told', detail?: string) =>
    surface.audit.record({
      event: 'logout.leg',
      reason,
      reference,
      portal,
      environment,
      ...(detail !== undefined && { detail: detail.slice(0, 200) }),
    });
  const ended = await live.provider?.end(session);
  void ended?.told?.then(
    () => record('party_told'),
    (error: unknown) => record('party_not_told', detailOf(error)),
  );
  return ended;
}
