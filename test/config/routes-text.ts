import { basename, dirname, resolve } from 'node:path';
import { checkRoutes, type Outcome } from '../../src/config/check.ts';
import type { ListFolder, RealPath } from '../../src/config/include-pattern.ts';
import type { Problem } from '../../src/config/problem.ts';
import type { ReadFile } from '../../src/config/secrets.ts';
import type { Instant } from '../../src/core/time.ts';

/** A routes file without faults; tests replace pieces of it. */
export const GOOD = `public_url: https://login.acme.com
portals:
  support:
    preset: pylon
    login_path: /callback
    logout_path: /logout
    settings: { org_slug: acme }
    signing: { algorithm: HS256, secret: { env: PORTAL } }
    token_lifetime: 60s
environments:
  us:
    app_url: https://us.acme.com/
    login:
      protocol: handoff
      url: https://us.acme.com/sso
      issuer: https://us.acme.com/
      algorithms: [HS256]
      secret: { env: US }
    may_assert: { email_domains: [acme.com], claims: [account_id] }
  eu:
    app_url: https://eu.acme.com/
    login:
      protocol: handoff
      url: https://eu.acme.com/sso
      issuer: https://eu.acme.com/
      algorithms: [HS256]
      secret: { env: EU }
    may_assert: { email_domains: [acme.example], claims: [account_id] }
discovery:
  - by: hint
  - by: picker
`;

export const VARIABLES: Readonly<Record<string, string>> = {
  PORTAL: 'portal-secret-0123456789-0123456789',
  US: 'us-secret-0123456789-0123456789-0123',
  EU: 'eu-secret-0123456789-0123456789-0123',
  OTHER: 'other-secret-0123456789-0123456789',
  SHORT: 'only-31-bytes-0123456789-012345',
  SEAL: Buffer.alloc(32, 7).toString('base64url'),
};

/** `files`: content by path, as the process would open it; everything else is absent. */
export function checkText(
  text: string,
  given: {
    variables?: Record<string, string | undefined>;
    files?: Record<string, string | Buffer>;
    now?: Instant;
    secrets?: 'not_needed';
  } = {},
): Outcome {
  const readFile: ReadFile = (path) => {
    const content = given.files && Object.hasOwn(given.files, path) ? given.files[path] : undefined;
    return content === undefined ? { error: 'ENOENT' } : Buffer.from(content);
  };
  const listFolder: ListFolder = (folder) => {
    const names = Object.keys(given.files ?? {}).filter((path) => dirname(path) === folder);
    return names.length === 0 ? { error: 'ENOENT' } : names.map((path) => ({ name: basename(path), link: false }));
  };
  const { now = 0 } = given;
  const variables = { ...VARIABLES, ...given.variables };
  const there = Object.keys(given.files ?? {}).flatMap((path) => [path, dirname(path)]);
  const realPath: RealPath = (path) =>
    path === '.' || there.includes(path) ? resolve('/', path) : { error: 'ENOENT' };
  const secrets = given.secrets ?? 'needed';
  return checkRoutes({ file: 'routes.yaml', text, readFile, listFolder, realPath, now, variables, secrets });
}

/** The good file with pieces replaced; a piece that is not there is a mistake of the test. */
export function goodWith(...changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`not in the good file: ${from}`);
    return text.replace(from, () => to);
  }, GOOD);
}

type Accepted = Extract<Outcome, { ok: true }>;

/** The problems of a file that must be refused. */
export function refused(outcome: Outcome): readonly Problem[] {
  if (outcome.ok) throw new Error('the file was accepted');
  return outcome.problems;
}

/** What came of a file that must be accepted. */
export function accepted(outcome: Outcome): Accepted {
  if (!outcome.ok) throw new Error(`the file was refused\n${faultsOf(outcome).join('\n')}`);
  return outcome;
}

/** `path: message` of every fault, in their order. */
export const faultsOf = (outcome: Outcome): string[] => describe(outcome, 'fault');

/** `path: message` of every notice, in their order. */
export const noticesOf = (outcome: Outcome): string[] => describe(outcome, 'notice');

const describe = (outcome: Outcome, severity: Problem['severity']): string[] =>
  (outcome.ok ? outcome.notices : outcome.problems)
    .filter((problem) => problem.severity === severity)
    .map(({ path, message }) => `${path}: ${message}`);
