import { Browser, type Seen } from '../support/browser.ts';
import { departure, environmentToken, type UsualEnvironment, type World } from '../support/world.ts';

/** Somebody who is signed in at the environments of the world, and goes wherever they are sent, cookies and all. */
export type Traveller = {
  /** Follows redirects until there is a page, frames included. `at`: where that is. */
  go(url: string): Promise<Seen & { readonly at: URL }>;
  /** The browser's part for one origin, which follows nothing. */
  at(origin: string): Browser;
};

/** Longer than any journey. */
const STEPS = 20;

export function openTraveller(world: World, claims: Record<string, unknown> = {}): Traveller {
  const { publicUrl } = world.running;
  const browsers = new Map<string, Browser>();
  const at = (origin: string): Browser => {
    const browser =
      browsers.get(origin) ?? (origin === publicUrl ? world.browser() : new Browser(origin, () => origin));
    browsers.set(origin, browser);
    return browser;
  };

  /** What an environment does at once, since it knows the person: it sends them back. */
  async function throughEnvironment(name: UsualEnvironment, url: URL): Promise<string> {
    const away = url.searchParams.get('return_to');
    if (away !== null) return away;
    const { redirectUri, nonce } = departure({ status: 302, location: url.href } as Seen);
    const token = await environmentToken(name, world.now, nonce, { claims: { aud: `${publicUrl}/`, ...claims } });
    return `${redirectUri}&access_token=${token}`;
  }

  return {
    at,
    async go(start) {
      let url = start;
      for (let step = 0; step < STEPS; step++) {
        const target = new URL(url);
        const [, environment] = /^(us|eu)\.acme\.test$/.exec(target.host) ?? [];
        if (environment !== undefined && target.pathname !== '/') {
          url = await throughEnvironment(environment as UsualEnvironment, target);
          continue;
        }
        if (target.hostname !== '127.0.0.1') return { ...NOTHING, url, at: target };
        const seen = await at(target.origin).get(url);
        for (const [, frame = ''] of seen.body.matchAll(/<iframe src="([^"]*)"/g)) {
          const framed = new URL(frame.replaceAll('&amp;', '&'));
          await at(framed.origin).get(framed.href);
        }
        const [, onward] = /^\d+; url=(.*)$/.exec(String(seen.headers.refresh ?? '')) ?? [];
        const next = seen.location || onward;
        if (next === undefined) return { ...seen, at: target };
        url = new URL(next, url).href;
      }
      throw new Error(`in circles, lastly at ${url.slice(0, 80)}`);
    },
  };
}

/** A page of somebody who is not here: an environment's app, Pylon. */
const NOTHING: Omit<Seen, 'url'> = { status: 200, headers: {}, body: '', location: '', reference: '' };
