import { z } from 'zod';
import { says } from './schema-problems.ts';
import { trustWords } from './schema-trust.ts';
import { claimSources, parameter, some, url } from './schema-words.ts';

/** A token of RFC 6265 §4.1.1; the router's own cookies go nowhere. */
const cookieName = z
  .string()
  .regex(
    /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/,
    says('must be the name of a cookie', 'Write it as the browser sends it.'),
  )
  .refine(
    (name) => !/^__host-wayhome/i.test(name),
    says('is a cookie of the router itself', 'Name the cookies of the environment’s session.'),
  );

/** `login` with `protocol: session`: router and environment are below one domain, and share a session cookie. */
export const sessionSchema = z.strictObject({
  protocol: z.literal('session').describe('Its session cookie reaches the router, too: both are below one domain.'),
  url: url.describe('Its login page.'),
  session_url: url.describe('Tells the router who is signed in: 200 with claims as JSON, or 401.'),
  return_param: parameter
    .optional()
    .describe('The parameter in which the login page is told where to go next. Default return_to.'),
  cookies: some(cookieName).describe('The cookies that are passed on to session_url; no other is.'),
  claims: claimSources
    .optional()
    .describe('Claims that have another name there: `{ email: user.mail }`; of a list, the first that is there.'),
  ...trustWords,
});
