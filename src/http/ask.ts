import type { Decision } from '../core/decide.ts';
import type { Facts } from '../core/facts.ts';
import { readQuery } from '../portals/query.ts';
import { type Answer, appendParam, page } from './answer.ts';
import { guestUrl } from './guest.ts';
import { listOf } from './listing.ts';
import { asCalled, attemptOf, withAttempt } from './login-url.ts';
import { emailPage } from './pages/email.ts';
import { frameFor } from './pages/layout.ts';
import { pickerPage } from './pages/picker.ts';
import type { Turn } from './turn.ts';

/** Asks the person. Their answer comes back to the login URL, with the portal's own query, and starts over from there. */
export function ask({ surface, live, call, trace, now }: Turn, decision: Decision & { do: 'ask' }): Answer {
  const { portal, page: kind, offered, emailUnknown } = decision;
  trace.trail = decision.trail;
  const facts: Partial<Facts> = trace.facts?.() ?? {};
  const loginPath = live.portals.get(portal.name)?.loginPath ?? '/';
  const called = asCalled(loginPath, call.search);
  const loginUrl = withAttempt(called, surface.sealer, portal.name, attemptOf(facts), now);
  const otherPage = (by: 'email' | 'picker') =>
    live.routes.discovery.steps.some((step) => step.by === by) ? appendParam(loginUrl, 'ask', by) : undefined;
  const frame = frameFor(live, call.header('accept-language'));

  if (kind === 'email') {
    const toPicker = offered.length > 0 ? otherPage('picker') : undefined;
    const { knownEmail: known, typedEmail } = facts;
    const typed = emailUnknown ? typedEmail : undefined;
    return page(
      200,
      emailPage(frame, {
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
  const to = live.portals.get(portal.name);
  const asGuest = to && trace.request && guestUrl(to, trace.request);
  const { directory } = live;
  const { searchable, typed, found, suggested, ...list } = listOf(directory, decision, call.query.get('find'));
  const kept = () => readQuery(loginUrl.slice(loginPath.length + 1));
  return page(
    200,
    pickerPage(
      frame,
      {
        portal: portal.title,
        ...list,
        iconOf: ({ name }) => directory.icons.get(name),
        pictured: offered.some(({ name }) => directory.icons.has(name)),
        ...(suggested && { suggested }),
        ...(emailUnknown && { emailUnknown }),
        ...(searchable && {
          search: {
            action: loginPath,
            kept: kept(),
            ...(typed !== undefined && { typed }),
            ...(found !== undefined && { found }),
          },
        }),
      },
      {
        choose: (environment) => appendParam(loginUrl, 'choose', environment.name),
        ...(toEmail !== undefined && { toEmail }),
        ...(asGuest !== undefined && { asGuest }),
      },
    ),
  );
}
