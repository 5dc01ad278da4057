import { createHash, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { openServer, type Party } from '../../examples/demo/server.ts';

export type PostingOptions = {
  readonly port: number;
  /** The router's origin, without a trailing slash. */
  readonly router: string;
  readonly secret: string;
  readonly email: string;
  /** Whole seconds since 1970. */
  readonly now: () => number;
};

const SUBMIT = 'document.forms[0].submit()';
const POLICY = `default-src 'none'; script-src 'sha256-${createHash('sha256').update(SUBMIT).digest('base64')}'`;

/** An environment that knows its person already and posts its answer from its own site, as SAML does. */
export function openPostingEnvironment({ port, router, secret, email, now }: PostingOptions): Promise<Party> {
  return openServer(port, {
    'GET /': () => ({ status: 200, body: 'The app.' }),
    'GET /sso': async ({ url: { searchParams } }) => {
      const iat = now();
      const jwt = new SignJWT({
        iss: 'poster',
        aud: `${router}/`,
        iat,
        exp: iat + 60,
        jti: randomUUID(),
        nonce: searchParams.get('nonce') ?? '',
        email,
      });
      const token = await jwt.setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(Buffer.from(secret));
      const redirectUri = (searchParams.get('redirect_uri') ?? '').replaceAll('&', '&amp;').replaceAll('"', '&quot;');
      return {
        status: 200,
        headers: { 'content-type': 'text/html', 'content-security-policy': POLICY },
        body: `<!doctype html><title>Poster</title><form method="post" action="${redirectUri}">
<input type="hidden" name="access_token" value="${token}"><button>Back to the portal</button></form>
<script>${SUBMIT}</script>`,
      };
    },
  });
}
