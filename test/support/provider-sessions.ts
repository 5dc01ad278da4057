import type Provider from 'oidc-provider';
import type { Client, Session } from 'oidc-provider';

/** Which of a provider's sessions are meant. */
export type Meant = {
  /** The account. */
  readonly sub?: string;
  /** What one client calls the session. */
  readonly sid?: string;
  /** Sessions that began later are not meant; in whole seconds. */
  readonly until: number;
};

/** In the library, and not in its types: tells a client that one of its sessions ended. */
type TellingClient = Client & { backchannelLogout(sub: string, sid: string): Promise<void> };

/**
 * What the operators of an OpenID provider (oidc-provider) need so that somebody else may end its sessions: the library
 * finds a session by its cookie or its `uid` alone, and tells of those that begin and end.
 */
export function watchSessions(provider: Provider, clientId: string) {
  const uids = new Set<string>();
  const sidOf = (session: Session) => session.authorizations?.[clientId]?.sid;
  provider.on('session.saved', (session) => uids.add(session.uid));
  provider.on('session.destroyed', (session) => uids.delete(session.uid));

  /** The session, the tokens that hang on it, and the sessions of its clients. */
  async function end(session: Session): Promise<void> {
    const { accountId = '', authorizations = {} } = session;
    await session.destroy();
    for (const [client, { sid, grantId }] of Object.entries(authorizations)) {
      if (grantId !== undefined) {
        for (const kind of [provider.AccessToken, provider.RefreshToken, provider.AuthorizationCode])
          await kind.revokeByGrantId(grantId);
        await (await provider.Grant.find(grantId))?.destroy();
      }
      const party = (await provider.Client.find(client)) as TellingClient | undefined;
      // A client that does not hear of it keeps nobody else from being told.
      if (party?.backchannelLogoutUri && sid !== undefined)
        await party.backchannelLogout(accountId, sid).catch(() => {});
    }
  }

  return {
    end,
    /** Ends those that are meant. How many there were. */
    async endMeant({ sub, sid, until }: Meant): Promise<number> {
      let ended = 0;
      for (const uid of [...uids]) {
        const session = await provider.Session.findByUid(uid);
        if (session?.accountId === undefined) continue;
        if (sub !== undefined && session.accountId !== sub) continue;
        if (sid !== undefined && sidOf(session) !== sid) continue;
        // By its name a session is known for certain; by the person, it may be one that began since.
        if (sid === undefined && (session.loginTs ?? 0) > until) continue;
        await end(session);
        ended++;
      }
      return ended;
    },
  };
}
