import { type Instant, parseInstant } from '../core/time.ts';
import { environmentsOf, type Survey } from './survey.ts';

/** Planned environments: their time has a length, and it is not over. */
export function checkTimes(survey: Survey, now: Instant): void {
  const { report } = survey;
  for (const { path, entry } of environmentsOf(survey)) {
    const [from, until] = [entry.from, entry.until].map((text) =>
      text === undefined ? undefined : parseInstant(text),
    );
    if (until === undefined) continue;
    const at = [...path, 'until'];
    if (from !== undefined && from >= until) {
      report.fault(at, 'until is not after from', 'It would never take a login. Mend one of the two, or remove it.');
    } else if (until <= now) {
      report.notice(at, 'takes no logins any more: until has passed', 'Remove the environment, or move the date.');
    }
  }
}
