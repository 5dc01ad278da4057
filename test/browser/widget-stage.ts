/**
 * HelpCenter.io's widget on pages of two apps: the router, a stand-in of HelpCenter.io with the widget's script, the
 * apps with their backends, and a site of somebody else. Everybody's clock stands still until it is moved.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jsonwebtoken from 'jsonwebtoken';
import type { Test } from 'tap';
import { stringify } from 'yaml';
import { freshTo, judgeAtHelpCenter } from '../../examples/demo/help-center-token.ts';
import { choosePorts } from '../../examples/demo/ports.ts';
import { openServer, type Reply } from '../../examples/demo/server.ts';
import { startWayhome } from '../../src/compose.ts';
import { fieldsOf } from '../support/exchange.ts';
import { helpcenterSnippet } from '../support/samples.ts';

export type WidgetStage = {
  /** Origins, without a trailing slash. */
  readonly router: string;
  readonly us: string;
  readonly eu: string;
  readonly foreign: string;
  /** Seconds. */
  ahead: number;
  /** What HelpCenter.io said to each call of its widget: `ok`, or its reason. */
  readonly verdicts: string[];
  /** `event reason` of every line that the router wrote about a token. */
  traded(): string[];
  /** A token that an app's backend could have made and lost. */
  handoffToken(app: 'us' | 'eu'): string;
};

const secret = (): string => randomBytes(48).toString('base64');

const page = (body: string): Reply => ({
  status: 200,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: `<!doctype html><html lang="en"><title>App</title><link rel="icon" href="data:,"><h1>App</h1>${body}`,
});

const json = (body: object, status = 200, headers = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

export async function openWidgetStage(t: Test): Promise<WidgetStage> {
  const ports = await choosePorts('free');
  const at = (party: keyof typeof ports) => `http://127.0.0.1:${ports[party]}`;
  const origins = { router: `http://localhost:${ports.router}`, us: at('us'), eu: at('eu'), foreign: at('globex') };
  const helpcenter = at('portal');
  const secrets = { HELPCENTER: secret(), US: secret(), EU: secret() };
  const opened = Math.floor(Date.now() / 1000);
  const now = () => opened + stage.ahead;
  const log: string[] = [];
  const handoffToken = (app: 'us' | 'eu') =>
    jsonwebtoken.sign(
      {
        iss: app,
        aud: `${origins.router}/`,
        iat: now(),
        exp: now() + 60,
        jti: randomUUID(),
        email: `ada@${app}.example`,
        name: 'Ada Fields',
        external_id: '7',
      },
      app === 'us' ? secrets.US : secrets.EU,
    );
  const stage: WidgetStage = {
    ...origins,
    ahead: 0,
    verdicts: [],
    traded: () =>
      log
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .flatMap(({ event, reason }) => (String(event).startsWith('token.') ? [`${event} ${reason}`] : [])),
    handoffToken,
  };

  const folder = await mkdtemp(join(tmpdir(), 'wayhome-widget-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const environment = (app: 'us' | 'eu', variable: string) => ({
    app_url: `${origins[app]}/start`,
    login: {
      protocol: 'handoff',
      url: `${origins[app]}/sso`,
      issuer: app,
      algorithms: ['HS256'],
      secret: { env: variable },
    },
    may_assert: { email_domains: [`${app}.example`], claims: ['name', 'external_id'] },
  });
  const running = await startWayhome({
    file: join(folder, 'routes.yaml'),
    text: stringify({
      public_url: origins.router,
      listen: `127.0.0.1:${ports.router}`,
      admin: `127.0.0.1:${ports.admin}`,
      store: 'memory:',
      portals: {
        docs: {
          preset: 'helpcenter_io',
          login_path: '/docs',
          settings: { subdomain: 'acme' },
          signing: { algorithm: 'HS256', secret: { env: 'HELPCENTER' } },
        },
      },
      environments: { us: environment('us', 'US'), eu: environment('eu', 'EU') },
      discovery: [{ by: 'picker' }],
    }),
    variables: secrets,
    log: (line) => log.push(line),
    clock: now,
  });
  t.teardown(() => running.close());

  const seen = new Map<string, string>();
  const readable = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'authorization' };
  const parties = [
    await openServer(ports.portal, {
      'GET /js/init.js': () => ({ status: 200, headers: { 'content-type': 'text/javascript' }, body: WIDGET }),
      'OPTIONS /api/articles': () => ({ status: 204, headers: readable }),
      'GET /api/articles': async ({ headers, url }) => {
        const token = headers.authorization?.replace(/^Bearer /, '') ?? '';
        const owner = url.searchParams.get('widget') ?? '';
        const settings = { secret: secrets.HELPCENTER, issuer: `${origins.router}/` };
        const verdict = await judgeAtHelpCenter(token, settings, freshTo(owner, seen), now());
        stage.verdicts.push(verdict.accepted ? 'ok' : verdict.reason);
        return verdict.accepted
          ? json({ articles: `Articles for ${verdict.claims.email}` }, 200, readable)
          : json({ reason: verdict.reason }, 401, readable);
      },
    }),
    ...(await Promise.all(
      (['us', 'eu'] as const).map((app) => openApp(ports[app], origins.router, helpcenter, () => handoffToken(app))),
    )),
    await openServer(ports.globex, {
      'GET /': ({ url }) => {
        const fields = [...url.searchParams].map(([name, value]) => `<input name="${name}" value="${value}">`);
        return page(
          `<form method="post" action="${origins.router}/api/auth/jwt">${fields.join('')}<button>Win</button></form>`,
        );
      },
    }),
  ];
  for (const party of parties) t.teardown(() => party.close());
  return stage;
}

/** An app whose people are signed in by a cookie of its own. */
function openApp(port: number, router: string, helpcenter: string, handoffToken: () => string) {
  const SESSION = 'app_session';
  /** Backend to backend. */
  const mint = async (): Promise<string> => {
    const answer = await fetch(`${router.replace('localhost', '127.0.0.1')}/api/auth/jwt`, {
      method: 'POST',
      body: new URLSearchParams(fieldsOf(handoffToken(), 'docs')),
    });
    const { jwt = '' } = (await answer.json()) as { jwt?: string };
    return jwt;
  };
  return openServer(port, {
    'GET /sign-in': () => ({
      ...page('<p>Hello, Ada'),
      headers: { 'set-cookie': `${SESSION}=1; HttpOnly; Path=/`, 'content-type': 'text/html' },
    }),
    'GET /by-backend': async () => page(helpcenterSnippet(await mint(), helpcenter)),
    'GET /helpcenter-token': async ({ cookies }) =>
      cookies.has(SESSION) ? json({ jwt: await mint() }) : json({}, 401),
    'GET /by-page': () => page(snippetOfPage(router, helpcenter)),
    'GET /handoff-token': ({ cookies }) => (cookies.has(SESSION) ? json({ token: handoffToken() }) : json({}, 401)),
    'GET /plain': () => page(''),
  });
}

/** The documented snippet, its callback asking the router itself: the app's backend only signs what it always signs. */
const snippetOfPage = (router: string, helpcenter: string): string =>
  helpcenterSnippet('', helpcenter).replace(
    /async function \(\) \{.*?\n {8}\},/s,
    () => `async function () {
            const own = await fetch('/handoff-token', { credentials: 'include' });
            const { token } = await own.json();
            const resp = await fetch('${router}/api/auth/jwt', {
                method: 'POST',
                body: new URLSearchParams({
                    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
                    subject_token: token,
                    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
                    audience: 'docs',
                }),
            });
            const json = await resp.json();
            return json.jwt;
        },`,
  );

/** What the article says of the widget: its token goes with every call, and a fresh one is asked for when it expires. */
const WIDGET = `(() => {
  const origin = new URL(document.currentScript.src).origin;
  const options = window.hcOptions;
  const widget = crypto.randomUUID();
  const ask = () => fetch(origin + '/api/articles?widget=' + widget, { headers: { authorization: 'Bearer ' + options.jwt } });
  const help = document.createElement('section');
  const button = document.createElement('button');
  const answer = document.createElement('h2');
  button.textContent = 'Help';
  button.onclick = async () => {
    answer.textContent = '';
    if (!options.jwt) options.jwt = await options.onAuthExpired();
    let response = await ask();
    let body = await response.json();
    if (['jwt_expired', 'jwt_too_old'].includes(body.reason)) {
      options.jwt = await options.onAuthExpired();
      response = await ask();
      body = await response.json();
    }
    answer.textContent = response.ok ? body.articles : 'Refused: ' + body.reason;
  };
  help.append(button, answer);
  document.body.append(help);
})();`;
