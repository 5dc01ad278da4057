/**
 * Routes with any number of environments, in one file or in a file each: for the bench, and to try things by hand
 * (`node bench/environments.ts <folder> <count> [--included]`).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** `one_file`: all below `environments`. `included`: a file each in `environments.d/`. */
export type Layout = 'one_file' | 'included';

/** Environment variables that the routes name. */
export const ENVIRONMENTS_VARIABLES = { PORTAL_SECRET: 'bench-portal-secret-0123456789-0123456789' } as const;

/**
 * Writes the routes and, beside them, a secret of its own for each environment (`secrets/e0`, …), as a mounted
 * folder would hold them. Returns the path of the routes file.
 */
export function writeEnvironments(folder: string, count: number, layout: Layout): string {
  const secrets = join(folder, 'secrets');
  mkdirSync(secrets, { recursive: true });
  const names = Array.from({ length: count }, (_, index) => `e${index}`);
  for (const name of names) writeFileSync(join(secrets, name), `bench-secret-${name.padStart(32, '0')}\n`);
  const file = join(folder, 'routes.yaml');
  if (layout === 'one_file') {
    const entries = names.map((name) => `  ${name}:\n${indented(entry(name, 'secrets'))}`);
    writeFileSync(file, routes(`environments:\n${entries.join('\n')}`));
    return file;
  }
  const included = join(folder, 'environments.d');
  mkdirSync(included, { recursive: true });
  for (const name of names) writeFileSync(join(included, `${name}.yaml`), `${entry(name, '../secrets')}\n`);
  writeFileSync(file, routes('include: environments.d/*.yaml'));
  return file;
}

const routes = (environments: string): string => `public_url: https://login.acme.test
listen: 127.0.0.1:0
admin: 127.0.0.1:0
store: "memory:"
portals:
  support:
    preset: pylon
    login_path: /callback
    settings: { org_slug: acme }
    signing: { algorithm: HS256, secret: { env: PORTAL_SECRET } }
${environments}
discovery:
  - by: hint
  - by: email
  - by: picker
`;

const entry = (name: string, secrets: string): string => `title: Environment ${name}
app_url: https://${name}.acme.test/
login:
  protocol: handoff
  url: https://${name}.acme.test/sso/support
  issuer: https://${name}.acme.test/
  algorithms: [HS256]
  secret: { file: ${secrets}/${name} }
logout:
  front: { url: https://${name}.acme.test/logout, return_param: return_to }
may_assert:
  email_domains: [${name}.example, { domain: mail-${name}.example, subdomains: included }]
  claims: [account_external_id]`;

const indented = (text: string): string => text.replace(/^/gm, '    ');

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [folder, count, ...flags] = process.argv.slice(2);
  if (folder === undefined || !Number.isInteger(Number(count))) {
    console.error('usage: node bench/environments.ts <folder> <count> [--included]');
    process.exitCode = 2;
  } else console.log(writeEnvironments(folder, Number(count), flags.includes('--included') ? 'included' : 'one_file'));
}
