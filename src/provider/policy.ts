import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';

/**
 * When an authorization request is not answered from the session, but goes to a login of ours (OIDC Core §3.1.2.3):
 * without a session, with `prompt=login` or `select_account`, with a `max_age` that has passed, for another person than
 * `id_token_hint` names, and where `mayStay` says no. Nobody is asked for consent: the operator has given it.
 */
export function loginPolicy(mayStay: (ctx: KoaContextWithOIDC) => Promise<boolean>): interactionPolicy.DefaultPolicy {
  const { base, Check, Prompt } = interactionPolicy;
  const policy = base();
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 0);
  const stays = new Check('no_visit', 'the person has to be signed in again', 'login_required', async (ctx) => {
    const { session, result, account } = ctx.oidc;
    if (!session?.accountId) return false;
    // Routes and time change while somebody signs in.
    if (result?.login && !account) throw new errors.AccessDenied('the environment takes no logins any more');
    return !result?.login && !(await mayStay(ctx));
  });
  policy.get('login')?.checks.add(stays);
  return policy;
}
