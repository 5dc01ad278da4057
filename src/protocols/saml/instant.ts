import { Refusal } from '../../core/reason.ts';
import { CLOCK_SKEW, type Instant } from '../../core/time.ts';
import type { XmlElement } from './xml-tree.ts';

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:Z|[+-]\d\d:\d\d)$/;

/** xs:dateTime (SAML Core §1.3.3) → seconds, with a fraction where it has one; `undefined` for anything else. */
export function parseDateTime(text: string): number | undefined {
  if (!DATE_TIME.test(text)) return undefined;
  const seconds = Date.parse(text) / 1000;
  return Number.isFinite(seconds) ? seconds : undefined;
}

/** As SAML writes it: UTC, whole seconds. */
export const formatDateTime = (instant: Instant): string => `${new Date(instant * 1000).toISOString().slice(0, 19)}Z`;

/** An attribute that holds a time; `undefined` when it is absent. Throws `Refusal` when it holds none. */
export function timeIn(element: XmlElement, attribute: string): number | undefined {
  const text = element.attributes.get(attribute);
  if (text === undefined) return undefined;
  const time = parseDateTime(text);
  if (time === undefined) throw new Refusal('saml_malformed', `${attribute} of ${element.name} is no time in UTC`);
  return time;
}

/** Whether `NotBefore` and `NotOnOrAfter` allow this instant (SAML Core §2.5.1.2). Throws `Refusal`. */
export function checkWindow(element: XmlElement, now: Instant, after = 'NotOnOrAfter'): void {
  const notBefore = timeIn(element, 'NotBefore');
  if (notBefore !== undefined && now < notBefore - CLOCK_SKEW)
    throw new Refusal('saml_not_yet_valid', `NotBefore of ${element.name}`);
  const notOnOrAfter = timeIn(element, after);
  if (notOnOrAfter !== undefined && now >= notOnOrAfter + CLOCK_SKEW)
    throw new Refusal('saml_expired', `${after} of ${element.name}`);
}

/** Whether a required time is at most `maxAge` seconds ago and not ahead → the time. Throws `Refusal`. */
export function checkAge(element: XmlElement, attribute: string, maxAge: number, now: Instant): number {
  const time = timeIn(element, attribute);
  if (time === undefined) throw new Refusal('saml_malformed', `${element.name} has no ${attribute}`);
  if (time > now + CLOCK_SKEW) throw new Refusal('saml_not_yet_valid', `${attribute} of ${element.name}`);
  if (now - time > maxAge + CLOCK_SKEW) throw new Refusal('saml_too_old', `${attribute} of ${element.name}`);
  return time;
}
