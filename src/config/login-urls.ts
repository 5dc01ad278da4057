import type { LoginDraft } from './schema.ts';
import type { Asked } from './url-fault.ts';

/** A URL of `login`, and where it stands in there. */
export type LoginUrl = {
  readonly at: readonly string[];
  readonly url: string;
  readonly asked: Asked;
  /** `called`: by the router; the others are pages that browsers go to. */
  readonly called: boolean;
};

/** What the bindings add to an address (SAML Bindings §3.4.3, §3.4.4.1). */
const SAML_PARAMETERS = ['SAMLRequest', 'SAMLResponse', 'RelayState', 'SigAlg', 'Signature'];

/** Every URL that a login names, whatever its protocol. */
export function loginUrls(login: LoginDraft): LoginUrl[] {
  const urls: LoginUrl[] = [];
  const page = (at: readonly string[], url: string | undefined, asked: Asked = {}) => {
    if (url !== undefined) urls.push({ at, url, asked, called: false });
  };
  const call = (at: readonly string[], url: string | undefined, asked: Asked = {}) => {
    if (url !== undefined) urls.push({ at, url, asked, called: true });
  };
  switch (login.protocol) {
    case 'handoff':
      page(['url'], login.url, { reserved: ['redirect_uri', 'nonce', 'login_hint'] });
      call(['jwks_url'], login.jwks_url);
      break;
    case 'oidc': {
      const { endpoints } = login;
      // OIDC Core §1.2 (issuer identifier). Its metadata is not asked for where the endpoints are stated.
      if (!endpoints) call(['issuer'], login.issuer, { noQuery: true });
      page(['endpoints', 'authorization'], endpoints?.authorization);
      call(['endpoints', 'token'], endpoints?.token);
      call(['endpoints', 'jwks'], endpoints?.jwks);
      call(['endpoints', 'userinfo'], endpoints?.userinfo);
      page(['endpoints', 'end_session'], endpoints?.end_session);
      break;
    }
    case 'saml':
      page(['sso_url'], login.sso_url, { reserved: SAML_PARAMETERS });
      page(['slo_url'], login.slo_url, { reserved: SAML_PARAMETERS });
      break;
    case 'session':
      page(['url'], login.url, { reserved: [login.return_param ?? DEFAULT_RETURN_PARAM] });
      call(['session_url'], login.session_url);
      break;
    default:
  }
  return urls;
}

/** `return_param` of a session login unless set. */
export const DEFAULT_RETURN_PARAM = 'return_to';
