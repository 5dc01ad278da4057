/** The world that every server of the bench stands in: addresses, secrets, and the router's routes file. */
export const ORIGIN = 'https://login.acme.test';
export const ISSUER = `${ORIGIN}/`;
export const CALLBACK = 'https://graph.usepylon.com/callback/jwt?orgSlug=acme';

export const PORTAL_SECRET = 'bench-portal-secret-0123456789-0123456789-0123456789';
export const ENVIRONMENT_SECRET = 'bench-environment-secret-0123456789-0123456789-0123456789';

/** Login paths of the router's portals. */
export const LOGIN_PATHS = {
  hs256: '/callback',
  other: '/other/callback',
  ps256: '/ps256/callback',
  ps256Long: '/ps256-3072/callback',
} as const;

/** Private keys of the portals that sign with PS256: a file, and bits. */
export const RSA_KEYS = { short: { file: 'rsa.pem', bits: 2048 }, long: { file: 'rsa-3072.pem', bits: 3072 } } as const;

export type RoutesOptions = { readonly store: string; readonly environments: number };

/**
 * Portals that sign with HS256, HS256, PS256 and PS256 with a longer key, and that many environments, `us` first. Every environment has a
 * secret, an issuer and an email domain of its own.
 */
export function routesText({ store, environments }: RoutesOptions): string {
  return `public_url: ${ORIGIN}
listen: 127.0.0.1:0
admin: 127.0.0.1:0
store: ${JSON.stringify(store)}
portals:
${portal('support', LOGIN_PATHS.hs256, 'HS256, secret: { env: PORTAL_SECRET }')}
${portal('other', LOGIN_PATHS.other, 'HS256, secret: { env: OTHER_PORTAL_SECRET }')}
${portal('rsa', LOGIN_PATHS.ps256, `PS256, private_key: { file: ${RSA_KEYS.short.file} }`)}
${portal('rsa-3072', LOGIN_PATHS.ps256Long, `PS256, private_key: { file: ${RSA_KEYS.long.file} }`)}
environments:
${names(environments).map(environment).join('\n')}
discovery:
  - by: hint
    params: [env, domain_hint]
  - by: source
  - by: remembered
    for: 30d
  - by: email
  - by: picker
`;
}

/** The environment variables that the routes file names. */
export const VARIABLES = { PORTAL_SECRET, OTHER_PORTAL_SECRET: `other-${PORTAL_SECRET}` } as const;

const names = (environments: number): readonly string[] => [
  'us',
  ...Array.from({ length: environments - 1 }, (_, index) => `e${index + 1}`),
];

/** The environments' secrets, by the path that the routes file names, relative to it: as a mounted folder has them. */
export const secretFiles = (environments: number): readonly (readonly [path: string, secret: string])[] =>
  names(environments).map((name) => [
    secretFile(name),
    name === 'us' ? ENVIRONMENT_SECRET : `bench-secret-${name.padStart(32, '0')}`,
  ]);

const secretFile = (name: string): string => `secrets/${name}`;

const portal = (name: string, path: string, signing: string): string => `  ${name}:
    preset: pylon
    login_path: ${path}
    settings: { org_slug: acme }
    signing: { algorithm: ${signing} }`;

const environment = (name: string): string => `  ${name}:
    title: Environment ${name}
    app_url: https://${name}.acme.test/
    login:
      protocol: handoff
      url: https://${name}.acme.test/sso/support
      issuer: https://${name}.acme.test/
      algorithms: [HS256]
      secret: { file: ${secretFile(name)} }
    may_assert: { email_domains: [${name}.example], claims: [account_external_id] }`;
