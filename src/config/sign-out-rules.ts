import type { LoginDraft } from './schema.ts';
import { environmentsOf, portalsOf, type Survey } from './survey.ts';

/** Where a sign-out ends, and which of two ways it takes, is said once. */
export function checkSignOut(survey: Survey): void {
  checkPortalHomes(survey);
  for (const { path, entry } of environmentsOf(survey)) {
    const { login, logout } = entry;
    const word = login && logout?.front && ownLogout(login);
    if (!word) continue;
    const remedy = `If that is meant, write ${word}: not_used in login; otherwise remove it.`;
    const message = 'a sign-out goes to this page, and not through the logout of the protocol';
    survey.report.notice([...path, 'logout', 'front'], message, remedy, 'key');
  }
}

/** `logout.then: portal` needs to know where the portal is. */
function checkPortalHomes(survey: Survey): void {
  if (survey.draft.logout?.then !== 'portal') return;
  for (const { path, entry } of portalsOf(survey)) {
    if (entry.home_url !== undefined || survey.report.blamed([...path, 'home_url'])) continue;
    survey.report.fault(
      [...path, 'home_url'],
      'required, and missing',
      'logout.then: portal ends a sign-out there.',
      'key',
    );
  }
}

/** The word that turns the protocol's own logout off, where it may have one and the word is not there. */
function ownLogout(login: LoginDraft): 'end_session' | 'single_logout' | undefined {
  if (login.protocol === 'oidc') {
    const { endpoints, end_session: off } = login;
    return off || (endpoints && !endpoints.end_session) ? undefined : 'end_session';
  }
  if (login.protocol !== 'saml') return undefined;
  const { metadata, slo_url: url, private_key: key, single_logout: off } = login;
  return off || !key || (!metadata && !url) ? undefined : 'single_logout';
}
