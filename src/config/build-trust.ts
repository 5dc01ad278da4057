import type { Trust } from '../outbound/outbound.ts';
import { textFor } from './built-values.ts';
import type { EnvironmentEntry, RoutesFile } from './schema.ts';
import type { Secrets } from './secrets.ts';

/** One for all that say nothing: there may be ten thousand of them. */
const USUAL: Trust = { allowPrivate: false };

type WithTrust = EnvironmentEntry['login'] | NonNullable<RoutesFile['portals'][string]['oidc']>;

/** How servers are called, of a faultless `login` of an environment or `oidc` of a portal. */
export function buildTrust(words: WithTrust, secrets: Secrets): Trust {
  const { allow_private: allowPrivate = false, ca, client_certificate: pair } = words;
  if (!allowPrivate && !ca && !pair) return USUAL;
  return {
    allowPrivate,
    ...(ca && { ca: textFor(ca, secrets) }),
    ...(pair && {
      clientCertificate: {
        certificate: textFor(pair.certificate, secrets),
        privateKey: textFor(pair.private_key, secrets),
      },
    }),
  };
}
