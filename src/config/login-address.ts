import type { CheckedLogin } from './checked.ts';

/**
 * Where a browser that departs goes, as far as the routes file tells: for a provider that says the rest in its
 * metadata, its issuer.
 */
export function loginAddress(login: CheckedLogin): string {
  switch (login.protocol) {
    case 'handoff':
      return login.url;
    case 'oidc':
      return login.endpoints?.authorization ?? login.issuer;
    case 'saml':
      return login.provider.signOn.url;
    case 'session':
      return login.loginUrl;
  }
}
