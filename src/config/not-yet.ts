import { environmentsOf, type Survey } from './survey.ts';

/** What the grammar knows and this version does not do. A later version deletes lines here. */
export function checkNotYet(survey: Survey): void {
  const { draft, report } = survey;
  if (draft.store?.startsWith('redis')) {
    report.fault(['store'], 'a Redis store is not part of this version', 'Use sqlite:<path> or memory:.');
  }
  for (const { path, entry } of environmentsOf(survey)) {
    const { logout } = entry;
    if (logout?.back) {
      const remedy = 'A sign-out goes through logout.front only.';
      report.notice([...path, 'logout', 'back'], 'back-channel logout is not delivered by this version', remedy, 'key');
    }
  }
}
