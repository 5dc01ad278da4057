/** What Chromium asks the router at the start of a login, and what it then experiences. */
import type { BrowserContext, Request, Response } from 'playwright-core';
import type { Explanation } from '../../src/cli/explain-request.ts';
import { type Asked, type Crossroads, PLACES } from './crossroads.ts';

/** A request to the login URL or to an entrance, as it left Chromium, and its answer. */
export type Start = Pick<Asked, 'at' | 'file'> & { readonly request: Request; readonly answer: Promise<Answer> };
type Answer = { readonly status: number; readonly location: string; readonly body: string };

/** Notes every start of a login from now on. */
export function watch(context: BrowserContext, { router, moment }: Pick<Crossroads, 'router' | 'moment'>): Start[] {
  const starts: Start[] = [];
  context.on('request', (request) => {
    const { origin, pathname } = new URL(request.url());
    if (origin !== router || !request.isNavigationRequest() || !/^\/(?:callback|docs|enter\/.*)$/.test(pathname))
      return;
    starts.push({ request, answer: request.response().then(readAnswer), ...moment() });
  });
  return starts;
}

async function readAnswer(response: Response | null): Promise<Answer> {
  const status = response?.status() ?? 0;
  const isRedirect = status >= 300 && status < 400;
  const location = (await response?.headerValue('location')) ?? '';
  return { status, location, body: isRedirect || !response ? '' : await response.text() };
}

type Experienced = Pick<Explanation, 'environment' | 'next'> & { readonly reference?: string };

/**
 * What became of the first of these starts, in the words of `explain --json`; the others followed it. A typed email is
 * answered with the address at which it is looked at.
 */
export async function experienced([start, ...following]: readonly Start[], router: string): Promise<Experienced> {
  if (!start) throw new Error('the browser went nowhere');
  const { status, location, body } = await start.answer;
  if (status === 303 && location.startsWith('/')) return experienced(following, router);
  if (status === 200) {
    const to = /<input[^>]*type="email"/.test(body) ? 'email' : 'picker';
    return { environment: null, next: { do: 'ask', to } };
  }
  if (status >= 400) {
    const [, reference = ''] = /<code>([^<]+)<\/code>/.exec(body) ?? [];
    return { environment: null, next: { do: 'refuse', to: null, status }, reference };
  }
  const landed = new URL(start.request.redirectedTo()?.url() ?? 'about:blank');
  const back = new URL(landed.searchParams.get('redirect_uri') ?? 'about:blank');
  const place = PLACES.find((name) => back.href.startsWith(`${router}/return/${name}?`));
  const [reference = ''] = back.searchParams.get('state')?.split('.') ?? [];
  const next = { do: 'depart', to: landed.origin + landed.pathname } as const;
  return { environment: (place ?? null) as Explanation['environment'], next, reference };
}
