/** What an app's backend asks of the router at `POST /api/auth/jwt` (RFC 8693). */

/** The form's fields: an environment's token for one that `portal` takes. */
export const tradeFields = (subjectToken: string, portal: string): Readonly<Record<string, string>> => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token: subjectToken,
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  audience: portal,
});

/** The portal token. `router` is an origin. Rejects when the router says no. */
export async function trade(router: string, subjectToken: string, portal: string): Promise<string> {
  const body = new URLSearchParams(tradeFields(subjectToken, portal));
  const answer = await fetch(`${router}/api/auth/jwt`, { method: 'POST', body, signal: AbortSignal.timeout(5000) });
  const said = (await answer.json()) as { jwt?: string; error?: string; reference?: string };
  if (said.jwt === undefined) throw new Error(`the router says ${said.error} (${said.reference})`);
  return said.jwt;
}
