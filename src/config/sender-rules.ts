import type { EnvironmentDraft } from './schema.ts';
import { environmentsOf, type Survey } from './survey.ts';

/** An environment that may end visits needs a protocol that can say so, and that we can believe. */
export function checkSenders(survey: Survey): void {
  for (const { path, entry } of environmentsOf(survey)) {
    const { login, logout } = entry;
    const receive = logout?.receive;
    if (!login || !receive) continue;
    const found = faultOf(receive, login);
    if (found) survey.report.fault([...path, 'logout', 'receive'], found.message, found.remedy);
    else if (receive === 'single_logout' && logout?.front) {
      const message = 'a sign-out goes to logout.front, and LogoutRequests are then not read';
      survey.report.fault([...path, 'logout', 'receive'], message, 'Remove logout.front, or receive.');
    }
  }
}

type Found = { readonly message: string; readonly remedy: string };

function faultOf(receive: 'back_channel' | 'single_logout', login: NonNullable<EnvironmentDraft['login']>) {
  const { protocol } = login;
  if (protocol === 'session') return fault('has no protocol that could say so', 'Remove it: nothing here signs.');
  if (receive === 'back_channel')
    return protocol === 'saml' ? fault('saml has no logout tokens', 'Write receive: single_logout.') : undefined;
  if (protocol !== 'saml') return fault(`${protocol} has no LogoutRequests`, 'Write receive: back_channel.');
  const { private_key: key, single_logout: off } = login;
  return off || !key ? fault('single logout is off here', 'It needs private_key, and no single_logout.') : undefined;
}

const fault = (message: string, remedy: string): Found => ({ message, remedy });
