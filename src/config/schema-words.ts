import { BlockList } from 'node:net';
import { z } from 'zod';
import { NAME_PATTERN } from '../core/names.ts';
import { addRange } from '../core/rule.ts';
import { DURATION_PATTERN, INSTANT_PATTERN, parseInstant } from '../core/time.ts';
import { says, unspeakable } from './schema-problems.ts';

/*
 * The small words of routes.yaml. Nothing is transformed here: a schema says whether a text is well formed, and
 * the same text is turned into a value once the whole file is known to be right. JSON Schema comes from the same
 * definitions, so what it can say is said with `regex`; `refine` holds the rest.
 */

/** Text of one shape; `must be …` and the remedy are said of another type, too. */
const matching = (pattern: RegExp, message: string, remedy: string) => {
  const error = says(message, remedy);
  return z.string({ error }).regex(pattern, { error, abort: true });
};

/** One line of text. */
export const text = z
  .string()
  .min(1, says('must not be empty', 'Write a text, or remove the key.'))
  .regex(/^\P{Cc}*$/u, says('must be one line without control characters', 'Remove them.'));

/** A duration with its unit; core/time.ts turns it into seconds. */
export const duration = matching(
  DURATION_PATTERN,
  'must be a duration',
  'Write a number and its unit: 60s, 10m, 12h, 30d.',
);

const DATES = 'Write 2026-07-01, which begins at 00:00Z, or with time and zone 2026-07-01T09:00+02:00.';

/** A date or a date-time with its zone; core/time.ts turns it into an instant. */
export const instant = matching(INSTANT_PATTERN, 'must be a date, or a date and time with its zone', DATES).refine(
  (value) => parseInstant(value) !== undefined,
  says('is a date that does not exist', DATES),
);

/** The name of a portal or an environment, see core/names.ts. */
export const name = matching(
  NAME_PATTERN,
  'must be a name of a-z, 0-9 and -',
  'Use 1 to 63 of these characters, without - at either end.',
);

/** The URL rules depend on `insecure_development`, so they stand in url-rules.ts. */
export const url = matching(/./, 'must be an absolute URL', 'Write it in full, with https://.');

/** Where a listener binds; port 0 is any free one. */
export const hostAndPort = matching(
  /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(?:[0-9]{1,5})$/,
  'must be host:port',
  'For example 0.0.0.0:8080 or [::1]:9090.',
).refine(
  (value) => Number(value.slice(value.lastIndexOf(':') + 1)) <= 65_535,
  says('the port is above 65535', 'For example 0.0.0.0:8080.'),
);

/** A CIDR or a single IP address. */
export const addressRange = z
  .string()
  .refine(
    (value) => addRange(new BlockList(), value),
    says('must be an address range', 'Write a CIDR such as 10.0.0.0/8 or 2001:db8::/32, or one IP address.'),
  );

/** RFC 3986 §2.3 unreserved characters: nothing that a router would read as a pattern or decode. */
export const path = matching(
  /^(?:\/[A-Za-z0-9._~-]+)+$/,
  'must be a plain absolute path',
  'Write /callback: letters, digits and ._~- between slashes, no slash at the end.',
).refine(
  (value) => !value.split('/').some((segment) => segment === '.' || segment === '..'),
  says('must not hold . or .. as a segment', 'Write the path that is meant.'),
);

/** The name of a query parameter or form field. */
export const parameter = matching(
  /^[A-Za-z][A-Za-z0-9._-]{0,63}$/,
  'must be a parameter name',
  'A letter, then letters, digits, . _ or -.',
);

const one = { minProperties: 1, maxProperties: 1 };

const envName = matching(
  /^[A-Za-z_][A-Za-z0-9_]*$/,
  'must be the name of an environment variable',
  'Letters, digits and _; the secret itself belongs in the variable.',
);
const ONE_SOURCE = says('must name exactly one of env and file', 'Write { env: NAME } or { file: path }.');
const NOT_HERE = says('must be { env: NAME } or { file: path }', 'A secret never stands in this file.');

const reference = z
  .strictObject(
    { env: envName.optional(), file: text.optional() },
    { error: ({ code }) => (code === 'invalid_type' ? NOT_HERE : undefined) },
  )
  .meta(one);

const exactlyOne = (value: { env?: string | undefined; file?: string | undefined }) =>
  (value.env === undefined) !== (value.file === undefined);

/** Where a secret or a key is: never the secret itself. */
export const secret = reference
  .refine(exactlyOne, ONE_SOURCE)
  .describe('Where the secret is: { env: NAME } or { file: path }. It never stands in this file.')
  .register(unspeakable, { why: 'somebody may have written the secret here' });

const TOKEN_CLAIMS = ['iss', 'aud', 'iat', 'exp', 'nbf', 'jti', 'nonce'];
const JUDGED_CLAIMS = ['email', 'email_verified'];
const OBJECT_WORDS = ['__proto__', 'constructor', 'prototype'];

const claimOtherThan = (taken: readonly string[]) =>
  matching(/^[A-Za-z][\w.:/-]{0,127}$/, 'must be a claim name', 'A letter, then letters, digits and _ . : / or -.')
    .refine(
      (value) => !taken.includes(value),
      says('is a claim of the protocol, which the router writes itself', `Remove it; so are ${taken.join(', ')}.`),
    )
    .refine((value) => !OBJECT_WORDS.includes(value), says('cannot be the name of a claim', 'Use another name.'));

/** A claim that an environment may assert or that is set for it: none of the protocol’s own (RFC 7519 §4.1). */
export const claimName = claimOtherThan([...TOKEN_CLAIMS, ...JUDGED_CLAIMS]);

/** What a source of the preset model can name after `user.`. */
export const assertedName = matching(
  /^(?!email$)[A-Za-z][A-Za-z0-9_-]{0,63}$/,
  'must be the name of a claim that environments say, and not email',
  'A letter, then letters, digits, _ or -; may_assert.claims lists it.',
);

/** At least one entry. */
export const some = <Item extends z.ZodType>(item: Item) =>
  z.array(item).min(1, says('must not be empty', 'Name at least one, or remove the key.'));

/** Claims and the places that may hold them, see protocols/claim-sources.ts: `{ ours: theirs }` or `{ ours: [theirs, …] }`. */
export const claimSources = z.record(
  claimOtherThan(TOKEN_CLAIMS),
  z.union([text, some(text)], {
    error: says('must be a name or a list of names', 'Write email: mail or email: [mail, upn].'),
  }),
);

/** A file that is no secret, such as a certificate; relative to the file that names it. */
export const publicFile = z.strictObject(
  { file: text },
  { error: ({ code }) => (code === 'invalid_type' ? NAMES_FILE : undefined) },
);
const NAMES_FILE = says('must name a file', 'Write { file: path }.');
