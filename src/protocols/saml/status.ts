import { type Reason, Refusal } from '../../core/reason.ts';
import { PROTOCOL, STATUS } from './uris.ts';
import { childOf, type XmlElement } from './xml-tree.ts';

/** Status codes that mean something to the person (SAML Core §3.2.2.2). */
const MEANINGS: ReadonlyMap<string, Reason> = new Map([
  ['AuthnFailed', 'access_denied'],
  ['RequestDenied', 'access_denied'],
  ['NoPassive', 'login_required'],
  ['UnknownPrincipal', 'unknown_user'],
]);

/**
 * Whether a response says `Success`. Throws the `Refusal` that its codes mean when it does not; that is taken without a
 * signature, since not all providers sign their refusals, and it lets nobody in.
 */
export function checkStatus(response: XmlElement): void {
  const [top = '', second] = codesOf(response);
  if (top === 'Success' && second !== 'PartialLogout') return;
  const reason = MEANINGS.get(second ?? '') ?? MEANINGS.get(top) ?? 'environment_error';
  throw new Refusal(reason, `status ${[top, second].filter(Boolean).join(', ')}`);
}

/** The status codes from the outside in, without what all have in common. */
function codesOf(response: XmlElement): string[] {
  const codes: string[] = [];
  let holder = childOf(response, PROTOCOL, 'Status');
  if (!holder) throw new Refusal('saml_malformed', 'no Status');
  for (let code = childOf(holder, PROTOCOL, 'StatusCode'); code; code = childOf(holder, PROTOCOL, 'StatusCode')) {
    const value = code.attributes.get('Value') ?? '';
    codes.push(value.startsWith(STATUS) ? value.slice(STATUS.length).replace(/\W/g, '').slice(0, 40) : 'other');
    holder = code;
  }
  return codes;
}
