import { z } from 'zod';
import { parseDomain } from '../core/email.ts';
import { LOGOUT_ALGORITHMS } from '../logout/token.ts';
import { isPublicSuffix } from './public-suffix.ts';
import { loginSchema } from './schema-login.ts';
import { picture } from './schema-look.ts';
import { says } from './schema-problems.ts';
import { proxySchema } from './schema-proxy.ts';
import { claimName, instant, parameter, secret, text, url } from './schema-words.ts';

const NAME_DOMAINS = 'Name domains that only this environment’s people have, or write any.';

const emailDomain = z
  .string()
  .refine(
    (value) => isPublicSuffix(value.toLowerCase()) || parseDomain(value) !== undefined,
    says('must be a domain', 'Write it as it stands after the @, without *, such as acme.com.'),
  )
  .refine(
    (value) => !isPublicSuffix(parseDomain(value) ?? value.toLowerCase()),
    says('is a public suffix: anybody can have an address below it', NAME_DOMAINS),
  );

const domainEntry = z.union(
  [
    emailDomain,
    z.strictObject({
      domain: emailDomain.describe('As it stands after the @.'),
      subdomains: z.literal('included').optional().describe('Every name below the domain counts, too.'),
      public_mail: z.literal('accepted').optional().describe('The domain may be that of a public mail provider.'),
    }),
  ],
  { error: says('must be a domain', 'Write acme.com, or { domain: acme.com, subdomains: included }.') },
);

const mayAssert = z.strictObject({
  email_domains: z
    .union([z.literal('any'), z.array(domainEntry).min(1, says('must not be empty', NAME_DOMAINS))], {
      error: says('must be a list of domains, or the word any', NAME_DOMAINS),
    })
    .describe('The domains whose people it may sign in, exactly these; the word any for all.'),
  claims: z.array(claimName).optional().describe('Claims of its people that are passed on. Default none.'),
  grants: z
    .array(claimName)
    .optional()
    .describe('Those of its claims that may give rights in a portal, such as role. Default none.'),
  email_verified: z
    .enum(['required', 'not_required'])
    .optional()
    .describe('Whether an absent email_verified refuses. Default: required for oidc, not_required otherwise.'),
  shared: z.boolean().optional().describe('Other environments may have the same email domains. Default false.'),
});

const claimValue = z.union(
  [
    z.string(),
    z.boolean(),
    z
      .number()
      .refine(
        (value) => !Number.isInteger(value) || Number.isSafeInteger(value),
        says('is too large for a number', 'Put quotes round it.'),
      ),
  ],
  { error: says('must be a text, a number, true or false', 'Lists and mappings cannot be set.') },
);

/** Of the tokens that say that a visit ended. */
const tokenWords = {
  audience: text.optional().describe('`aud` of its logout tokens. Default: the name of the environment.'),
  algorithm: z
    .enum(LOGOUT_ALGORITHMS)
    .optional()
    .describe('What they are signed with, by a key that the router makes and publishes. Default RS256.'),
};

const logout = z.strictObject({
  front: z
    .strictObject({
      url: url.describe('Its page that ends its own session.'),
      return_param: parameter.describe('The parameter in which that page is told where to go next.'),
    })
    .optional()
    .describe('Signing out through the browser.'),
  back: z
    .strictObject({
      url: url.describe('Where the router posts logout tokens (OpenID Connect Back-Channel Logout 1.0).'),
      ...tokenWords,
    })
    .optional()
    .describe('Telling it behind the person’s back, again and again until it knows.'),
  pull: z
    .strictObject({
      secret: secret.describe('What it proves itself with (Bearer), 32 bytes or more.'),
      ...tokenWords,
    })
    .optional()
    .describe('In place of back, for an installation that the router cannot reach: it fetches the same tokens.'),
  receive: z
    .enum(['back_channel', 'single_logout'])
    .optional()
    .describe(
      'It may end its people’s visits: by logout tokens at /backchannel-logout/<name> (oidc, handoff), or by LogoutRequests (saml). Its visits are then recorded in the store.',
    ),
});

/** One entry of `environments`. */
export const environmentSchema = z.strictObject({
  title: text.optional().describe('What people read. Default: the name.'),
  group: text.optional().describe('The heading that it stands under in the picker. Default none.'),
  icon: picture.optional().describe('A picture before its title in the picker.'),
  app_url: url.describe('The application: where a sign-out ends.'),
  login: loginSchema.describe('How it signs its own people in.'),
  logout: logout.optional(),
  may_assert: mayAssert.describe('What is believed of what it says about a person.'),
  sets: z.record(claimName, claimValue).optional().describe('Claims fixed here, whatever the environment says.'),
  listed: z.boolean().optional().describe('Offered to anonymous visitors in the picker. Default true.'),
  disabled: z.boolean().optional().describe('Takes no login. Default false.'),
  from: instant.optional().describe('Takes logins from this moment on. A date begins at 00:00Z.'),
  until: instant.optional().describe('Takes none from this moment on.'),
  proxy: proxySchema.optional().describe('Its login pages are reached through the router.'),
});
