import { z } from 'zod';
import { INCLUDE_PATTERN } from './include-pattern.ts';
import { stepSchema } from './schema-discovery.ts';
import { environmentSchema } from './schema-environment.ts';
import { brandingSchema } from './schema-look.ts';
import { portalSchema } from './schema-portal.ts';
import { says } from './schema-problems.ts';
import { storeSchema } from './schema-store.ts';
import { addressRange, duration, hostAndPort, name, secret, some, url } from './schema-words.ts';

const atLeastOne = (what: string) =>
  [
    (entries: object) => Object.keys(entries).length > 0,
    says(`must name at least one ${what}`, `Write a name and, below it, what the ${what} needs.`),
  ] as const;

const PATTERN = says(
  'must be a relative path with * in its last part only',
  'Write environments.d/*.yaml, without ../.',
);
const includePattern = z.string({ error: PATTERN }).regex(INCLUDE_PATTERN, PATTERN);

const rateLimit = z.strictObject({
  per_client: z
    .string()
    .regex(/^[1-9][0-9]{0,5}\/[sm]$/, says('must be a rate', 'Write requests per second or minute: 20/s, 600/m.')),
  burst: z
    .int()
    .positive()
    .max(1_000_000)
    .optional()
    .describe('Requests that may come at once. Default: one second’s.'),
});

/** routes.yaml, whole: shape and single values. What holds between values stands in the `*-rules.ts` files. */
export const routesSchema = z.strictObject({
  public_url: url.describe('The router’s own origin, as browsers see it; never taken from Host.'),
  listen: hostAndPort.optional().describe('What browsers reach. Default 0.0.0.0:8080.'),
  admin: hostAndPort.optional().describe('Health and metrics, a listener of its own. Default 127.0.0.1:9090.'),
  trusted_proxies: z.array(addressRange).optional().describe('Whose X-Forwarded-* are believed. Default none.'),
  store: storeSchema
    .optional()
    .describe('What must outlive a request: see stores.md. Default sqlite:./data/wayhome.db.'),
  seal_keys: some(secret)
    .optional()
    .describe('Keys that seal cookies and states, newest first. Default: made once and kept by the store.'),
  login_lifetime: duration.optional().describe('How long one login may take. Default 10m.'),
  rate_limit: rateLimit.optional().describe('Off unless set.'),
  record: z
    .strictObject({
      keep: z
        .int()
        .positive()
        .max(1_000_000)
        .describe('How many of the latest decisions are kept; older ones are deleted.'),
    })
    .optional()
    .describe('Keeps routing decisions, without personal data, for `wayhome diff`. Off unless set.'),
  insecure_development: z.boolean().optional().describe('Plain http everywhere; refused in production.'),
  portals: z.record(name, portalSchema).refine(...atLeastOne('portal')),
  environments: z
    .record(name, environmentSchema)
    .refine(...atLeastOne('environment'))
    .optional(),
  include: z
    .union([includePattern, some(includePattern)], { error: PATTERN })
    .optional()
    .describe('Files that hold one environment each, such as environments.d/*.yaml; named for it, or with a key name.'),
  branding: brandingSchema.optional().describe('The operator’s name and look on the pages.'),
  discovery: some(stepSchema).describe('Read from top to bottom; the first step that answers wins.'),
  logout: z
    .strictObject({
      // biome-ignore lint/suspicious/noThenProperty: the file’s word; this is never awaited
      then: z.enum(['app', 'portal', 'page']).optional().describe('Where a sign-out ends. Default app.'),
      fan_out: z.enum(['origin', 'visited', 'all']).optional().describe('Which environments are told. Default origin.'),
    })
    .optional(),
});

type Written = z.infer<typeof routesSchema>;

/** The routes file together with what it includes. */
export type RoutesFile = Written & { readonly environments: NonNullable<Written['environments']> };

/** A tree from which everything that does not fit the schema was taken: anything may be absent, nothing is wrong. */
export type Draft<T> = T extends readonly (infer Item)[]
  ? readonly (Draft<Item> | undefined)[]
  : T extends object
    ? { readonly [Key in keyof T]?: Draft<T[Key]> | undefined }
    : T;

export type RoutesDraft = Draft<RoutesFile>;
export type PortalDraft = Draft<RoutesFile['portals'][string]>;
export type EnvironmentEntry = RoutesFile['environments'][string];
export type EnvironmentDraft = Draft<EnvironmentEntry>;
export type LoginDraft = Draft<EnvironmentEntry['login']>;
export type SecretReference = z.infer<typeof secret>;
