/**
 * The Node samples of two portals' articles, loaded as a reader would set them up: the files under samples/ hold
 * their text verbatim, and what is replaced here is what the articles tell their readers to replace.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { compileFunction } from 'node:vm';
import type { Express, RequestHandler } from 'express';

const require = createRequire(import.meta.url);

const read = (name: string): string => readFileSync(new URL(`./samples/${name}`, import.meta.url), 'utf8');

function replaced(text: string, values: Readonly<Record<string, string>>): string {
  for (const [place, value] of Object.entries(values)) {
    if (!text.includes(place)) throw new Error(`the sample has no ${place}`);
    text = text.replaceAll(place, () => value);
  }
  return text;
}

export type PylonSample = {
  readonly clientId: string;
  readonly issuer: string;
  readonly secret: string;
  /** Where the sample sends the person, up to and with the `?` or `&` before `access_token`. */
  readonly address: string;
};

/** What Auth0 hands to an action, as far as the sample looks at it. */
type PostLogin = (
  event: { readonly client: { readonly client_id: string }; readonly user: { readonly email: string } },
  api: { readonly redirect: { sendUserTo(url: string, options: { query: Record<string, string> }): void } },
) => Promise<void>;

/** Runs the post-login action for a person; where it sends them, or `undefined`. */
export async function runPylonSample(sample: PylonSample, email: string, clientId = sample.clientId) {
  const source = replaced(read('pylon-post-login.cjs'), {
    'http://graph.usepylon.com/callback/jwt?orgSlug=<ORGSLUG>&': sample.address,
    '<CLIENT_ID>': sample.clientId,
    '<ISSUER>': sample.issuer,
    '<SECRET>': sample.secret,
  });
  const exports: { onExecutePostLogin?: PostLogin } = {};
  compileFunction(source, ['require', 'exports', 'console'])(require, exports, { log() {} });
  let sentTo: string | undefined;
  const sendUserTo = (text: string, { query }: { query: Record<string, string> }) => {
    const url = new URL(text);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    sentTo = url.href;
  };
  await exports.onExecutePostLogin?.(
    { client: { client_id: clientId }, user: { email } },
    { redirect: { sendUserTo } },
  );
  return sentTo;
}

export type HelpcenterUser = { readonly id: number; readonly email: string; readonly fullName: string };

/** Adds the sample's login endpoint to an Express application; what mints its tokens. */
export function loadHelpcenterSample(
  app: Express,
  requireLogin: RequestHandler,
  secret: string,
): (user: HelpcenterUser) => string {
  const source = replaced(read('helpcenter-mint.cjs'), {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample's own text, and what takes its place
    '`https://${subdomain}.helpcenter.io/sso/jwt?jwt=${token}`': '`${req.query.redirect_uri}&access_token=${token}`',
  });
  const load = compileFunction(`${source}\nreturn mintHelpcenterJwt;`, ['require', 'process', 'app', 'requireLogin']);
  return load(require, { env: { HELPCENTER_SHARED_SECRET: secret } }, app, requireLogin);
}

/** Step 5 of the same article, for a page's HTML; `origin` is where its script comes from in place of helpcenter.io. */
export const helpcenterSnippet = (jwt: string, origin: string): string =>
  replaced(read('helpcenter-snippet.html'), {
    YOUR_WIDGET_ID: 'acme',
    '<JWT minted server-side and templated in here>': jwt,
    'https://helpcenter.io': origin,
  });
