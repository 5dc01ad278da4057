import { claimSourcesOf } from './built-values.ts';
import type { CheckedLogin } from './checked.ts';
import { DEFAULT_RETURN_PARAM } from './login-urls.ts';
import type { EnvironmentEntry } from './schema.ts';

/** `login` with `protocol: session`, faultless. */
export const buildSession = (
  login: Extract<EnvironmentEntry['login'], { protocol: 'session' }>,
): Extract<CheckedLogin, { protocol: 'session' }> => ({
  protocol: 'session',
  sessionUrl: login.session_url,
  loginUrl: login.url,
  returnParam: login.return_param ?? DEFAULT_RETURN_PARAM,
  cookies: login.cookies,
  claims: claimSourcesOf(login.claims),
});
