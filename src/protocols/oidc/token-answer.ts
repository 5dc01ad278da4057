import { Refusal } from '../../core/reason.ts';
import type { OutboundAnswer } from '../../outbound/outbound.ts';
import { errorForLog } from '../error-answer.ts';
import { statusRefusal } from '../outbound-refusal.ts';

/** What a token endpoint handed out; nothing of it is verified. */
export type Tokens = { readonly accessToken: string; readonly idToken: string };

/** RFC 6750 §2.1: it goes into a header. */
const ACCESS_TOKEN = /^[\x21-\x7e]+$/;

/** The answer of a token endpoint (OpenID Connect Core §3.1.3.3) → its tokens. Throws `Refusal`. */
export function readTokenAnswer({ status, body }: OutboundAnswer): Tokens {
  const said = parseObject(body);
  if (status !== 200) throw errorOf(status, said);
  const { access_token: accessToken, id_token: idToken } = said ?? {};
  if (typeof accessToken !== 'string' || !ACCESS_TOKEN.test(accessToken))
    throw new Refusal('environment_error', 'token endpoint: no access_token');
  if (typeof idToken !== 'string') throw new Refusal('environment_error', 'token endpoint: no id_token');
  return { accessToken, idToken };
}

/** RFC 6749 §5.2. The provider's words about the code are the person's matter, those about the client the operator's. */
function errorOf(status: number, said: Readonly<Record<string, unknown>> | undefined): Refusal {
  const { error, error_description: description } = said ?? {};
  if (typeof error !== 'string' || status >= 500)
    return status === 401 ? new Refusal('client_refused', '401') : statusRefusal('token endpoint', status);
  const detail = errorForLog(error, typeof description === 'string' ? description : '');
  if (error === 'invalid_grant') return new Refusal('code_refused', detail);
  if (status === 401 || error === 'invalid_client' || error === 'unauthorized_client')
    return new Refusal('client_refused', detail);
  return new Refusal('environment_error', `token endpoint: ${detail}`);
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
