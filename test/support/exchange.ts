/** Trading tokens at /api/auth/jwt, and what a no looks like there. */
import type { Test } from 'tap';
import { REASONS, type Reason } from '../../src/core/reason.ts';
import type { Browser, Seen, Send } from './browser.ts';
import type { World } from './world.ts';

export const DOOR = '/api/auth/jwt';
export const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/** The fields of RFC 8693 §2.1. */
export const fieldsOf = (token: string, audience = 'support'): Record<string, string> => ({
  grant_type: GRANT,
  subject_token: token,
  subject_token_type: JWT,
  audience,
});

/** As a backend asks, or, with `origin`, a page of that origin. */
export const trade = (
  browser: Browser,
  token: string,
  { audience, origin, ...send }: Send & { audience?: string; origin?: string } = {},
): Promise<Seen> =>
  browser.post(DOOR, fieldsOf(token, audience), {
    ...send,
    headers: { ...(origin !== undefined && { origin }), ...send.headers },
  });

type Traded = {
  readonly access_token: string;
  readonly issued_token_type: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly jwt: string;
};

/** The JSON of a yes. */
export function traded(t: Test, seen: Seen): Traded {
  t.match(seen.headers, { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' });
  t.equal(seen.headers['set-cookie'], undefined, 'a backend has no use for cookies');
  t.equal(seen.status, 200, seen.body);
  return JSON.parse(seen.body) as Traded;
}

/** A no: JSON of RFC 6749 §5.2 under the status of its reason, no token, and exactly one line of the log. */
export async function notTraded(
  t: Test,
  world: World,
  what: string,
  reason: Reason,
  act: () => Promise<Seen>,
  error = 'invalid_request',
): Promise<Seen> {
  const before = world.lines.length;
  const seen = await act();
  const events = world.events().slice(before);
  const body = JSON.parse(seen.body) as Record<string, string>;
  t.strictSame(Object.keys(body), ['error', 'error_description', 'reference'], what);
  t.match(
    {
      status: seen.status,
      type: seen.headers['content-type'],
      vary: seen.headers.vary,
      error: body.error,
      // RFC 6749 §5.2
      ascii: /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/.test(body.error_description ?? ''),
      token: /eyJ[\w-]+\./.test(JSON.stringify([seen.headers, seen.body])),
      events: events.map((event) => [event.event, event.reason, event.reference]),
    },
    {
      status: REASONS[reason].status,
      type: 'application/json',
      vary: 'Origin',
      error,
      ascii: true,
      token: false,
      events: [['token.refused', reason, body.reference]],
    },
    what,
  );
  t.match(body.reference, /^[0-9a-z]{10}$/, what);
  t.notOk(seen.body.includes(reason), 'why exactly stands in the log alone');
  return seen;
}
