import { PULL_SECRET_BYTES } from '../logout/receiver.ts';
import type { Secrets } from './secrets.ts';
import { environmentsOf, type Survey } from './survey.ts';

/** An environment is told in one way, and what it proves itself with cannot be guessed. */
export function checkReceivers(survey: Survey, values: Secrets): void {
  for (const { path, entry } of environmentsOf(survey)) {
    const { back, pull } = entry.logout ?? {};
    if (!pull) continue;
    const at = [...path, 'logout', 'pull'];
    if (back) {
      const remedy = 'Keep back where the router can reach the environment, and pull where it cannot.';
      survey.report.fault(at, 'stands beside back, and both would tell the same', remedy, 'key');
    }
    const secret = pull.secret && values.get(pull.secret);
    if (!secret) continue;
    const remedy = 'Make one with: openssl rand -hex 32';
    // RFC 6750 §2.1: it travels in a header.
    if (!/^[\x21-\x7e]+$/.test(secret.toString('latin1')))
      survey.report.fault([...at, 'secret'], 'must be letters, digits and signs of ASCII, without spaces', remedy);
    else if (secret.length < PULL_SECRET_BYTES) {
      const message = `the secret has ${secret.length} bytes; it needs at least ${PULL_SECRET_BYTES}`;
      survey.report.fault([...at, 'secret'], message, remedy);
    }
  }
}
