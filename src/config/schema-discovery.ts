import { z } from 'zod';
import { says } from './schema-problems.ts';
import { addressRange, duration, name, parameter, some, text } from './schema-words.ts';

const FORMS = says('must be a text or a list of texts', 'Write one value, [one, another], or { in: [one, another] }.');

const oneOrMore = <Item extends z.ZodType>(item: Item) => z.union([item, some(item)], { error: FORMS });

const oneOf = <Item extends z.ZodType>(item: Item) =>
  z.union([item, some(item), z.strictObject({ in: oneOrMore(item) })], { error: FORMS });

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, says('must be a header name', 'For example cf-ipcountry.'));

const when = z
  .strictObject({
    header: z.strictObject({ name: headerName, in: oneOrMore(text) }).optional(),
    query: z.strictObject({ name: parameter, in: oneOrMore(text) }).optional(),
    host: oneOf(text).optional(),
    portal: oneOf(name).optional(),
    client_ip: oneOf(addressRange).optional(),
  })
  .meta({ minProperties: 1 })
  .refine(
    (value) => Object.values(value).some((part) => part !== undefined),
    says('must hold at least one condition', 'One of header, query, host, portal, client_ip; or use by: default.'),
  );

const OURS = ['access_token', 'jwt', 'redirect_uri', 'state', 'nonce'];
const hintParameter = parameter.refine(
  (value) => !OURS.includes(value),
  says('is a parameter with a meaning of its own', `Use another name than ${OURS.join(', ')}.`),
);

/** One entry of `discovery`: told apart by `by`. */
export const stepSchema = z.discriminatedUnion('by', [
  z.strictObject({
    by: z.literal('hint'),
    params: some(hintParameter)
      .optional()
      .describe('Parameters of the login URL that may name an environment. Default env.'),
  }),
  z.strictObject({ by: z.literal('source') }),
  z.strictObject({ by: z.literal('login_hint') }),
  z.strictObject({ by: z.literal('remembered'), for: duration.optional().describe('How long. Default 30d.') }),
  z.strictObject({ by: z.literal('rule'), when: when.describe('Every part must hold.'), to: name }),
  z.strictObject({ by: z.literal('email') }),
  z.strictObject({ by: z.literal('picker') }),
  z.strictObject({ by: z.literal('default'), to: name }),
]);
