import { type Instant, parseInstant } from '../core/time.ts';
import { environmentsOf, portalsOf, type Survey } from './survey.ts';

/** Planned environments: their time has a length, and it is not over. A cut-over that is over is tidied up. */
export function checkTimes(survey: Survey, now: Instant): void {
  const { report } = survey;
  for (const { path, entry } of portalsOf(survey)) {
    const { at } = entry.signing?.next ?? {};
    if (at === undefined || (parseInstant(at) ?? now) > now) continue;
    const remedy = 'Once the portal takes it, write it in place of the old one and remove next.';
    report.notice([...path, 'signing', 'next', 'at'], 'has taken over: at has passed', remedy);
  }
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
