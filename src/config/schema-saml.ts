import { z } from 'zod';
import { says } from './schema-problems.ts';
import { keyPair, trustWords } from './schema-trust.ts';
import { claimSources, duration, publicFile, secret, some, url } from './schema-words.ts';

const binding = z.enum(['redirect', 'post']);

/** A URI reference of at most 1024 characters (SAML Core §8.3.6), written as it is compared: as text. */
const uri = z
  .string()
  .regex(/^[\x21-\x7e]{1,1024}$/, says('must be a URI', 'Write it as the other side does, without spaces.'));

/** `login` with `protocol: saml`: the environment is a SAML 2.0 identity provider, the router a service provider. */
export const samlSchema = z.strictObject({
  protocol: z.literal('saml').describe('It is a SAML 2.0 identity provider; the router is a service provider.'),
  metadata: publicFile
    .optional()
    .describe('The identity provider’s metadata (XML); in its place: issuer, sso_url and certificates.'),
  issuer: uri.optional().describe('Its entity ID, compared as text.'),
  sso_url: url.optional().describe('Its SingleSignOnService.'),
  sso_binding: binding.optional().describe('How requests get there. Default redirect.'),
  slo_url: url.optional().describe('Its SingleLogoutService.'),
  slo_binding: binding.optional().describe('How logout messages get there. Default redirect.'),
  certificates: some(publicFile)
    .max(4, says('are too many certificates', 'Keep the one in use and the one that follows it.'))
    .optional()
    .describe('What it signs with, PEM; several while it changes over.'),
  entity_id: uri.optional().describe('What the router is called there. Default: the address of its metadata.'),
  private_key: secret.optional().describe('Signs the router’s requests (RSA, PEM). Default: they are not signed.'),
  certificate: publicFile.optional().describe('The certificate of private_key.'),
  decryption: keyPair
    .optional()
    .describe('What assertions are encrypted to (RSA). Default: encrypted ones are refused.'),
  signed: z
    .enum(['assertion', 'response', 'both'])
    .optional()
    .describe('Which signatures have to be there. Default assertion. One that is there and wrong is always refused.'),
  name_id_format: uri.optional().describe('The NameID format that is asked for. Default: none is.'),
  attributes: claimSources
    .optional()
    .describe('Claims and the attributes that hold them, by Name; `name_id` is the subject itself.'),
  max_age: duration.optional().describe('The oldest assertion that is taken. Default 5m.'),
  force_authn: z.literal(true).optional().describe('People prove anew who they are.'),
  authn_contexts: some(uri).optional().describe('Authentication contexts, one of which is required. Default: any.'),
  single_logout: z
    .literal('not_used')
    .optional()
    .describe(
      'A sign-out does not go through its SingleLogoutService. Default: it does, where there is one and private_key.',
    ),
  ...trustWords,
});
