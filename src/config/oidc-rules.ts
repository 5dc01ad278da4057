import type { PublicKeyAlgorithm } from '../keys/keys.ts';
import { privateKeyFault } from '../keys/signer.ts';
import type { ClientAuthentication } from '../protocols/oidc/settings.ts';
import type { Path } from './problem.ts';
import type { LoginDraft } from './schema.ts';
import type { Secrets } from './secrets.ts';
import { environmentsOf, type Survey } from './survey.ts';

type OidcDraft = Extract<LoginDraft, { protocol?: 'oidc' | undefined }>;

/** How the router proves itself to a provider fits what it is given for that; words of stated endpoints stand beside them. */
export function checkOidc(survey: Survey, values: Secrets): void {
  for (const { path, entry } of environmentsOf(survey)) {
    const { login } = entry;
    if (login?.protocol !== 'oidc') continue;
    const at = [...path, 'login'];
    checkClient(survey, at, login);
    checkClientKeys(survey, at, login, values);
    checkEndpoints(survey, at, login);
  }
}

type ClientWords = Pick<OidcDraft, 'client_auth' | 'client_secret' | 'private_key'>;

/** The method that is written, or the one that follows from what is there. */
export function clientMethod({ client_auth: method, client_secret, private_key }: ClientWords) {
  return method ?? (client_secret ? 'client_secret_basic' : private_key ? 'private_key_jwt' : 'none');
}

const NEEDS: Readonly<Record<ClientAuthentication['method'], 'client_secret' | 'private_key' | undefined>> = {
  client_secret_basic: 'client_secret',
  client_secret_post: 'client_secret',
  private_key_jwt: 'private_key',
  none: undefined,
};

function checkClient({ report }: Survey, path: Path, login: OidcDraft): void {
  const method = clientMethod(login);
  const needed = NEEDS[method];
  if (needed && !login[needed] && !report.blamed([...path, needed])) {
    report.fault([...path, needed], 'required, and missing', `client_auth: ${method} needs it.`, 'key');
  }
  for (const word of ['client_secret', 'private_key'] as const) {
    if (!login[word] || word === needed) continue;
    const message = `${word} is not used with client_auth: ${method}`;
    report.fault([...path, word], message, 'Keep the one that the provider knows, or change client_auth.', 'key');
  }
  if (login.client_algorithm && method !== 'private_key_jwt') {
    const at = [...path, 'client_algorithm'];
    report.fault(at, 'client_algorithm is for private_key_jwt only', 'Remove it, or give a private_key.', 'key');
  }
}

function checkClientKeys({ report }: Survey, path: Path, login: OidcDraft, values: Secrets): void {
  const secret = login.client_secret && values.get(login.client_secret);
  // RFC 6749 appendix A.2.
  if (secret && !/^[\x20-\x7e]+$/.test(secret.toString('latin1'))) {
    const remedy = 'Plain ASCII in one line; a file may end with one line break.';
    report.fault([...path, 'client_secret'], 'holds characters that no client secret has', remedy);
  }
  const pem = login.private_key && values.get(login.private_key)?.toString('utf8');
  if (pem === undefined) return;
  const algorithm = login.client_algorithm ?? clientAlgorithm(pem) ?? 'RS256';
  const fault = privateKeyFault(pem, algorithm);
  if (fault) report.fault([...path, 'private_key'], fault, 'Give a PEM of RSA, EC or Ed25519.');
}

/** What a private key signs client assertions with unless the file says otherwise; `undefined` where it fits none. */
export const clientAlgorithm = (pem: string): PublicKeyAlgorithm | undefined =>
  (['RS256', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const).find((each) => privateKeyFault(pem, each) === undefined);

function checkEndpoints({ report }: Survey, path: Path, login: OidcDraft): void {
  const { endpoints } = login;
  if (login.iss_parameter && !endpoints && !report.blamed([...path, 'endpoints'])) {
    const remedy = 'Remove it: the provider’s metadata says it (RFC 9207 §3).';
    report.fault([...path, 'iss_parameter'], 'iss_parameter stands beside endpoints only', remedy, 'key');
  }
  const userinfoAt = [...path, 'endpoints', 'userinfo'];
  if (login.userinfo === 'always' && endpoints && !endpoints.userinfo && !report.blamed(userinfoAt)) {
    report.fault(userinfoAt, 'required, and missing', 'userinfo: always needs it.', 'key');
  }
}
