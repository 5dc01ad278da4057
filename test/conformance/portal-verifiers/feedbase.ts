/**
 * Feedbase's /api/v1/<slug>/sso, written from its documentation: jsonwebtoken with the secret and no list of
 * algorithms, both parameters needed, and a redirect to wherever it is told.
 */
import jsonwebtoken, { type JwtPayload } from 'jsonwebtoken';

export type FeedbaseAnswer = { readonly status: number; readonly said: string };

/** `now`: seconds. `said`: where it leads, or what is wrong. */
export function feedbase(url: string, secret: string, now: number): FeedbaseAnswer {
  const { pathname, searchParams: query } = new URL(url);
  if (!/^\/api\/v1\/[^/]+\/sso$/.test(pathname)) return { status: 404, said: 'another address' };
  const [to, token] = [query.get('redirect_to'), query.get('jwt')];
  if (!to || !token) return { status: 400, said: 'redirect_to or jwt is missing' };
  try {
    const { email, name } = jsonwebtoken.verify(token, secret, { clockTimestamp: now }) as JwtPayload;
    return email && name ? { status: 302, said: to } : { status: 500, said: 'no email or name' };
  } catch (error) {
    return { status: 500, said: (error as Error).message };
  }
}
