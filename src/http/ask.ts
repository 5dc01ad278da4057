import type { Decision } from '../core/decide.ts';
import type { Facts } from '../core/facts.ts';
import { type Answer, appendParam, page } from './answer.ts';
import { asCalled, attemptOf, withAttempt } from './login-url.ts';
import { emailPage } from './pages/email.ts';
import { pickerPage } from './pages/picker.ts';
import type { Turn } from './turn.ts';

/** Asks the person. Their answer comes back to the login URL, with the portal's own query, and starts over from there. */
export function ask({ surface, live, call, trace, now }: Turn, decision: Decision & { do: 'ask' }): Answer {
  const { portal, page: kind, offered, suggested, emailUnknown } = decision;
  trace.trail = decision.trail;
  const facts: Partial<Facts> = trace.facts?.() ?? {};
  const called = asCalled(live.portals.get(portal.name)?.loginPath ?? '/', call.search);
  const loginUrl = withAttempt(called, surface.sealer, portal.name, attemptOf(facts), now);
  const otherPage = (by: 'email' | 'picker') =>
    live.routes.discovery.steps.some((step) => step.by === by) ? appendParam(loginUrl, 'ask', by) : undefined;

  if (kind === 'email') {
    const toPicker = offered.length > 0 ? otherPage('picker') : undefined;
    const { knownEmail: known, typedEmail } = facts;
    const typed = emailUnknown ? typedEmail : undefined;
    return page(
      200,
      emailPage({
        portal: portal.title,
        action: loginUrl,
        formAction: live.formAction,
        ...(typed !== undefined && { typed }),
        ...(known !== undefined && { known }),
        ...(toPicker !== undefined && { toPicker }),
      }),
    );
  }
  const toEmail = otherPage('email');
  return page(
    200,
    pickerPage(
      { portal: portal.title, offered, ...(suggested && { suggested }), ...(emailUnknown && { emailUnknown }) },
      {
        choose: (environment) => appendParam(loginUrl, 'choose', environment.name),
        ...(toEmail !== undefined && { toEmail }),
      },
    ),
  );
}
