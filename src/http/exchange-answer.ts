/** What /api/auth/jwt says: JSON and CORS headers, never a page. */
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

/** The answer to a CORS preflight (Fetch §3.2.2). Whose token will come is not known yet: any app's page may ask. */
export function preflight({ exchange: { origins } }: Live, origin: string | undefined): Answer {
  const allowed = origin !== undefined && origins.has(origin);
  return {
    status: 204,
    headers: {
      allow: 'OPTIONS, POST',
      ...corsFor(allowed ? origin : undefined),
      ...(allowed && {
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'content-type',
        'access-control-max-age': String(PREFLIGHT_LIFETIME),
      }),
    },
  };
}

/** A no (RFC 6749 §5.2, RFC 8693 §2.2.2) under the status of its reason. Why exactly, the log has under `reference`. */
export const errorFor = (allowOrigin: string | undefined, { reason, status }: Refusal, reference: string): Answer =>
  jsonFor(allowOrigin, status, {
    error: CODES[reason] ?? (status === 429 || status === 503 ? 'temporarily_unavailable' : defaultCode(status)),
    error_description: describe(REASONS[reason].says),
    reference,
  });

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
};

const defaultCode = (status: number): string => (status >= 500 ? 'server_error' : 'invalid_request');

/** For developers; where nothing is said here, what people read is plain enough. ASCII (RFC 6749 §5.2). */
const DESCRIPTIONS: Readonly<Partial<Record<Says, string>>> = {
  request_wrong: 'The request is not one of RFC 8693 as this server takes it.',
  address_wrong: 'There is no portal of that name.',
  not_accepted: 'The subject token is not accepted.',
  not_allowed: 'A token of this environment is not traded here.',
};

const describe = (says: Says): string => DESCRIPTIONS[says] ?? ENGLISH.texts.says[says].text;
