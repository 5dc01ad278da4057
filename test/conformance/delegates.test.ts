import t from 'tap';
import { delegateConformance, type OpenCounterpart } from './delegate.ts';
import { openHandoffCounterpart } from './delegate-handoff.ts';
import { openOidcCounterpart } from './delegate-oidc.ts';
import { openSamlCounterpart } from './delegate-saml.ts';
import { openSessionCounterpart } from './delegate-session.ts';

const protocols: Readonly<Record<string, OpenCounterpart>> = {
  handoff: openHandoffCounterpart,
  oidc: openOidcCounterpart,
  saml: openSamlCounterpart,
  session: openSessionCounterpart,
};

for (const [protocol, openCounterpart] of Object.entries(protocols)) {
  t.test(`${protocol} keeps what every protocol promises`, async (t) => delegateConformance(t, openCounterpart));
}
