import { setTimeout as sleep } from 'node:timers/promises';
import { departure, environmentToken, LOGIN, portalToken } from '../support/world.ts';
import { atSession, forPage, type HostileWorld, leave, signedIn } from './hostile-world.ts';

/** Between two people of one way: they are there to fare well, not to be a load. Milliseconds. */
const BREATH_MS = 10;

export type Way = 'handoff' | 'session' | 'oidc' | 'page';

/** What became of the people of one way. */
export type Fared = {
  readonly failed: number;
  /** Milliseconds of each that succeeded. */
  readonly took: readonly number[];
};

export type Neighbours = {
  /** Lets them finish what they are at. */
  stop(): Promise<Readonly<Record<Way, Fared>>>;
};

/**
 * People of honest environments, one after the other: by a signed handoff, a session, a provider, and one who only
 * reads a page behind the router.
 */
export function openNeighbours({ serving, crowd }: HostileWorld): Neighbours {
  const ways: Readonly<Record<Way, () => Promise<boolean>>> = {
    handoff: async () => {
      const browser = serving.browser();
      const { redirectUri, nonce } = departure(await browser.get(`${LOGIN}&env=us`));
      const token = await environmentToken('us', Math.floor(Date.now() / 1000), nonce);
      return portalToken(await browser.get(`${redirectUri}&access_token=${token}`)) !== '';
    },
    session: async () => signedIn(await atSession(crowd, 'honest')),
    oidc: async () => signedIn(await (await leave(crowd, 'honest-oidc'))()),
    page: async () => (await forPage(crowd, 'honest')).body === 'page',
  };
  let over = false;
  const walking = Object.entries(ways).map(async ([way, walk]): Promise<[string, Fared]> => {
    const took: number[] = [];
    let failed = 0;
    while (!over) {
      const began = performance.now();
      if (await walk().catch(() => false)) took.push(performance.now() - began);
      else failed++;
      await sleep(BREATH_MS);
    }
    return [way, { failed, took }];
  });
  return {
    async stop() {
      over = true;
      return Object.fromEntries(await Promise.all(walking)) as Record<Way, Fared>;
    },
  };
}
