/** What /api/auth/jwt says: JSON and CORS headers, never a page. */
import type { EnvironmentName } from '../core/names.ts';
import { REASONS, type Reason, type Refusal, type Says } from '../core/reason.ts';
import type { Answer } from './answer.ts';
import type { Live } from './live.ts';
import { ENGLISH } from './pages/speech.ts';

/** How long a browser may remember that it may ask. Seconds; browsers cut it to two hours at the most. */
const PREFLIGHT_LIFETIME = 600;

/** An answer that scripts of `allowOrigin` can read, and without one those of no page. Credentials play no part. */
export const jsonFor = (allowOrigin: string | undefined, status: number, body: object): Answer => ({
  status,
  headers: {
    'content-type': 'application/json',
    // RFC 6749 §5.1 asks for it beside `Cache-Control: no-store`.
    pragma: 'no-cache',
    ...corsFor(allowOrigin),
  },
  body: JSON.stringify(body),
});

/**
 * The origin of the page that asks, where its scripts may read the answer (Fetch §3.2.3): a page of the app of the
 * environment whose token it is, and, as long as nobody knows whose that is, a page of any app. Nothing but a refusal is
 * said before that, and whoever is no browser reads it anyway.
 */
export function readerOf(
  { exchange: { appOrigins, origins } }: Live,
  origin: string | undefined,
  environment: EnvironmentName | undefined,
): string | undefined {
  if (origin === undefined) return undefined;
  const reads = environment === undefined ? origins.has(origin) : appOrigins.get(environment) === origin;
  return reads ? origin : undefined;
}

/** The answer to a CORS preflight (Fetch §3.2.2). Whose token will come is not known yet: any app's page may ask. */
export function preflight(live: Live, origin: string | undefined): Answer {
  const reader = readerOf(live, origin, undefined);
  return {
    status: 204,
    headers: {
      allow: 'OPTIONS, POST',
      ...corsFor(reader),
      ...(reader !== undefined && {
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'content-type',
        'access-control-max-age': String(PREFLIGHT_LIFETIME),
      }),
    },
  };
}

/** A no (RFC 6749 §5.2, RFC 8693 §2.2.2) under the status of its reason. Why exactly, the log has under `reference`. */
export function errorFor(allowOrigin: string | undefined, { reason, status }: Refusal, reference: string): Answer {
  const answer = jsonFor(allowOrigin, status, {
    error: CODES[reason] ?? (status === 429 || status === 503 ? 'temporarily_unavailable' : defaultCode(status)),
    error_description: describe(reason),
    reference,
  });
  return { ...answer, headers: { ...answer.headers, ...HEADERS[reason] } };
}

/**
 * A logout token that ended nothing (Back-Channel Logout 1.0 §2.8): always 400 and `invalid_request` where it was the
 * token, and nothing about why. What is no fault of the token keeps its status, so that a sender tries it again.
 */
export const notEnded = ({ status }: Refusal): Answer => {
  const later = status === 429 || status === 502 || status === 503 || status === 504;
  const named = later ? 'temporarily_unavailable' : status >= 500 ? 'server_error' : 'invalid_request';
  return jsonFor(undefined, status === 401 || status === 403 ? 400 : status, { error: named });
};

/** RFC 9110 §11.6.1 has a 401 name the scheme; whoever is one too many at a feed is told when to come back. */
const HEADERS: Readonly<Partial<Record<Reason, Record<string, string>>>> = {
  feed_secret_refused: { 'www-authenticate': 'Bearer' },
  feed_crowded: { 'retry-after': '5' },
};

const corsFor = (allowOrigin: string | undefined): Record<string, string> => ({
  vary: 'Origin',
  ...(allowOrigin !== undefined && { 'access-control-allow-origin': allowOrigin }),
});

/** Where RFC 8693 §2.2.2 has a word of its own; whatever else is wrong with a subject token is `invalid_request`. */
const CODES: Readonly<Partial<Record<Reason, string>>> = {
  grant_type_not_supported: 'unsupported_grant_type',
  sso_not_configured: 'invalid_target',
  portal_unknown: 'invalid_target',
  environment_not_offered: 'invalid_target',
  // RFC 6750 §3.1.
  feed_secret_refused: 'invalid_token',
};

const defaultCode = (status: number): string => (status >= 500 ? 'server_error' : 'invalid_request');

/** For developers; where nothing is said here, what people read is plain enough. ASCII (RFC 6749 §5.2). */
const DESCRIPTIONS: Readonly<Partial<Record<Says, string>>> = {
  request_wrong: 'The request is not one of RFC 8693 as this server takes it.',
  address_wrong: 'There is no portal of that name.',
  not_accepted: 'The subject token is not accepted.',
  not_allowed: 'A token of this environment is not traded here.',
};

const describe = (reason: Reason): string => {
  const { says } = REASONS[reason];
  if (reason === 'feed_secret_refused') return 'This is not the secret of this feed.';
  return DESCRIPTIONS[says] ?? ENGLISH.texts.says[says].text;
};
