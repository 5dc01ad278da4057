import { ORIGIN } from './world.ts';

const PLACES = ['Malmö', 'Łódź', 'São Paulo', 'Zürich', 'Düsseldorf', 'Ålesund', 'Kraków', 'Lyon', '東京', 'القاهرة'];
const TRADES = ['Bakery', 'Shipping', 'Energy', 'Clinic', 'Books', 'Tools', 'Farm', 'Studio', 'Bank', 'School'];

/** The title of one of the customers of a fleet: every one is another. */
export const customer = (index: number): string =>
  `${PLACES[index % 10]} ${TRADES[Math.floor(index / 10) % 10]} ${index}`;

export type FleetOptions = {
  readonly count: number;
  /** Keys of the file, beside the usual ones. */
  readonly more?: string;
  /** Keys of the first two environments, the regions. */
  readonly ofRegions?: string;
};

/**
 * Routes of a portal with two regions, in a group of their own, one environment that is not listed (`Hidden Harbour`),
 * and as many customers as are wanted (`c0`, …). No secret is shared, since none is needed.
 */
export function fleetRoutes({ count, more = '', ofRegions = '' }: FleetOptions): string {
  const customers = Array.from({ length: count }, (_, index) =>
    entry(`c${index}`, customer(index), 'group: Customers'),
  );
  return `public_url: ${ORIGIN}
listen: 127.0.0.1:0
admin: 127.0.0.1:0
store: "memory:"
${more}
portals:
  support:
    title: Acme Support
    preset: pylon
    login_path: /callback
    logout_path: /logout
    settings: { org_slug: acme }
    signing: { algorithm: HS256, secret: { env: PORTAL_SECRET } }
environments:
${entry('us', 'United States', `group: Regions${ofRegions}`)}
${entry('eu', 'Europe (EU)', `group: Regions${ofRegions}`)}
${entry('own', 'Our own test system', 'disabled: false')}
${entry('hidden', 'Hidden Harbour', 'listed: false')}
${customers.join('\n')}
discovery:
  - by: hint
  - by: picker
  - by: email
`;
}

const entry = (name: string, title: string, more: string): string => `  ${name}:
    title: ${title}
    ${more}
    app_url: https://${name}.acme.test/
    login:
      protocol: handoff
      url: https://${name}.acme.test/sso
      issuer: ${name}
      algorithms: [ES256]
      jwks_url: https://${name}.acme.test/keys
    may_assert:
      email_domains: [${name}.example]`;
