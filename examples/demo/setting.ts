import { randomBytes } from 'node:crypto';
import type { Ports } from './ports.ts';

/** What everybody in the demo has to know of everybody else. */
export type Setting = {
  readonly ports: Ports;
  /** Origins, without a trailing slash. */
  readonly router: string;
  readonly portal: string;
  readonly helpCenter: string;
  readonly downstream: string;
  readonly secrets: Secrets;
  /** Whole seconds since 1970. */
  readonly now: () => number;
  /** Waits for a party to open, and closes it with the demo. */
  opened<Party extends { close(): Promise<void> }>(opening: Promise<Party>): Promise<Party>;
};

/** Names that the routes take secrets from. */
const NAMES = [
  'PYLON_SHARED_SECRET',
  'HELPCENTER_SHARED_SECRET',
  'BILLING_SECRET',
  'US_HANDOFF_SECRET',
  'EU_HANDOFF_SECRET',
  'WONKA_CLIENT_SECRET',
  'SOYLENT_SECRET',
] as const;

export type Secrets = Readonly<Record<(typeof NAMES)[number], string>>;

/** 64 characters each: long enough for HS512 too (RFC 7518 §3.2), and what HelpCenter.io generates. */
export const makeSecrets = (): Secrets =>
  Object.fromEntries(NAMES.map((name) => [name, randomBytes(48).toString('base64url')])) as Secrets;

/** What Pylon's stand-in calls its customer's workspace; `settings.org_slug` in routes.yaml. */
export const ORG_SLUG = 'acme';
