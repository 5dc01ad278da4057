import { z } from 'zod';
import { DEEPEST_CONDITION } from '../core/rule.ts';
import { says } from './schema-problems.ts';
import { addressRange, duration, name, parameter, some, text } from './schema-words.ts';

const FORMS = says('must be a text or a list of texts', 'Write one value, [one, another], or { in: [one, another] }.');

const oneOrMore = <Item extends z.ZodType>(item: Item) => z.union([item, some(item)], { error: FORMS });

const oneOf = <Item extends z.ZodType>(item: Item) =>
  z.union([item, some(item), z.strictObject({ in: oneOrMore(item) })], { error: FORMS });

/** Their values are credentials, and what a rule looks at stands in the trail. */
const CREDENTIALS = ['authorization', 'cookie', 'proxy-authorization'];

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, says('must be a header name', 'For example cf-ipcountry.'))
  .refine(
    (value) => !CREDENTIALS.includes(value.toLowerCase()),
    says('is a header that no rule may look at', 'Its values are secrets, and would stand in the log.'),
  );

const OURS = ['access_token', 'jwt', 'redirect_uri', 'state', 'nonce'];
const plainParameter = parameter.refine(
  (value) => !OURS.includes(value),
  says('is a parameter with a meaning of its own', `Use another name than ${OURS.join(', ')}.`),
);

const language = z
  .string()
  .regex(
    /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*$/,
    says('must be a language', 'Write de for German of every region, or de-AT for that region only.'),
  );

/** The `when` of a rule, and every condition inside it. */
export type WhenEntry = {
  readonly header?: { readonly name: string; readonly in: OneOrMore } | undefined;
  readonly query?: { readonly name: string; readonly in: OneOrMore } | undefined;
  readonly host?: OneOf | undefined;
  readonly portal?: OneOf | undefined;
  readonly client_ip?: OneOf | undefined;
  readonly language?: OneOf | undefined;
  readonly any?: readonly WhenEntry[] | undefined;
  readonly all?: readonly WhenEntry[] | undefined;
  readonly not?: WhenEntry | undefined;
};
type OneOrMore = string | readonly string[];
type OneOf = OneOrMore | { readonly in: OneOrMore };

const condition: z.ZodType<WhenEntry> = z
  .strictObject({
    header: z
      .strictObject({ name: headerName, in: oneOrMore(text) })
      .optional()
      .describe('A request header has one of these values.'),
    query: z
      .strictObject({ name: plainParameter, in: oneOrMore(text) })
      .optional()
      .describe('A parameter of the login URL has one of these values.'),
    host: oneOf(text).optional().describe('The host that was called, with its port where there is one.'),
    portal: oneOf(name).optional().describe('The portal that sent the person.'),
    client_ip: oneOf(addressRange)
      .optional()
      .describe('The browser’s address: a CIDR or a single one. Behind a proxy only with trusted_proxies.'),
    language: oneOf(language).optional().describe('The browser’s most preferred language: de holds for de-AT, too.'),
    get any() {
      return some(condition).optional().describe('At least one of these conditions holds.');
    },
    get all() {
      return some(condition).optional().describe('All of these conditions hold.');
    },
    get not() {
      return condition.optional().describe('This condition does not hold.');
    },
  })
  .refine(
    (value) => Object.values(value).some((part) => part !== undefined),
    says(
      'must hold at least one condition',
      'One of header, query, host, portal, client_ip, language, any, all, not; or use by: default.',
    ),
  )
  .meta({ id: 'condition', minProperties: 1 });

const NESTED_KEYS = ['any', 'all', 'not'] as const;

/** Looked at before the schema recurses: aliases can nest more deeply than the text does. */
function nestsDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (levels === 0) return true;
  return NESTED_KEYS.some((key) => {
    const nested = (value as Readonly<Record<string, unknown>>)[key];
    return (Array.isArray(nested) ? nested : [nested]).some((item) => nestsDeeperThan(levels - 1, item));
  });
}

const TOO_DEEP = says('is nested too deeply', `At most ${DEEPEST_CONDITION} conditions may stand in one another.`);

const when = z.preprocess((value, issues) => {
  if (nestsDeeperThan(DEEPEST_CONDITION, value)) issues.addIssue(TOO_DEEP);
  return value;
}, condition);

/** One entry of `discovery`: told apart by `by`. */
export const stepSchema = z.discriminatedUnion('by', [
  z.strictObject({
    by: z.literal('hint'),
    params: some(plainParameter)
      .optional()
      .describe('Parameters of the login URL that may name an environment. Default env.'),
  }),
  z.strictObject({ by: z.literal('source') }),
  z.strictObject({ by: z.literal('login_hint') }),
  z.strictObject({
    by: z.literal('remembered'),
    for: duration.optional().describe('How long. Default 30d.'),
    confirm: z
      .boolean()
      .optional()
      .describe('Asks first, with this environment at the top of the picker. Default false: departs at once.'),
  }),
  z.strictObject({ by: z.literal('rule'), when: when.describe('Every part must hold.'), to: name }),
  z.strictObject({ by: z.literal('email') }),
  z.strictObject({ by: z.literal('picker') }),
  z.strictObject({ by: z.literal('default'), to: name }),
]);
