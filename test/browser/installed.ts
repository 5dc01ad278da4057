import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import { type Heard, type InstallationOptions, openInstallation } from './installation.ts';
import type { Stage } from './stage.ts';

const SECRET = 'INSTALLATION_SECRET';

/** The stage has to be opened with it. */
export const SECRETS: Readonly<Record<string, string>> = { [SECRET]: randomBytes(48).toString('base64url') };

/** An installation behind the stage's router, and what routes.yaml says of it. */
export async function install(
  t: Test,
  stage: Stage,
  host: string,
  more: Pick<InstallationOptions, 'email' | 'manner' | 'pages'>,
) {
  const { router, portal, ports } = stage;
  const origin = `http://${host}:${ports.router}`;
  const callback = `${portal}/callback/jwt?orgSlug=acme`;
  const secret = SECRETS[SECRET] ?? '';
  const heard: Heard[] = [];
  const installation = await openInstallation(
    { address: '127.0.0.1', port: 0, origin, router, callback, secret, ...more },
    (request) => heard.push(request),
  );
  t.teardown(() => installation.close());
  const signing = { protocol: 'handoff', issuer: `${origin}/`, algorithms: ['HS256'], secret: { env: SECRET } };
  const environment = {
    app_url: `${origin}/app`,
    login: { ...signing, url: `${origin}/sso/support` },
    logout: { front: { url: `${origin}/logout`, return_param: 'return_to' } },
    may_assert: { email_domains: [more.email.replace(/^.*@/, '')], claims: [] },
    proxy: {
      host,
      upstream: `http://127.0.0.1:${installation.port}`,
      paths: ['/app', '/sso/', '/login', '/logout', '/live', ...Object.keys(more.pages ?? {})],
    },
    listed: false,
  };
  return { origin, callback, heard, environment };
}
