import { createHmac } from 'node:crypto';
import type { Claims, Identity } from '../core/environment.ts';
import type { EnvironmentName } from '../core/names.ts';
import { Refusal } from '../core/reason.ts';
import { REFRESH } from './lifetimes.ts';
import type { Records } from './records.ts';

/** What relying parties may be told about a person: the identity of the latest login. */
export type Person = { readonly environment: EnvironmentName; readonly email: string; readonly claims: Claims };

export type People = {
  /** Throws `Refusal` where there is more to say about a person than can be kept. */
  prepare(identity: Identity): { readonly subject: string; keep(): Promise<void> };
  find(subject: string): Promise<Person | undefined>;
};

const KIND = 'Person';

/** Characters of all that is kept about a person. */
const LONGEST = 8_000;

/** A person is remembered as long as the last refresh token that names them. */
export function openPeople(records: Records, key: Buffer): People {
  return {
    prepare(identity) {
      const { environment, email } = identity;
      const person: Person = { environment, email, claims: repeatable(identity) };
      if (JSON.stringify(person).length > LONGEST) throw new Refusal('token_too_large', 'claims about one person');
      const subject = makeSubject(key, identity);
      return { subject, keep: () => records.write({ kind: KIND, id: subject }, person, REFRESH + 60) };
    },
    find: async (subject) => (await records.read<Person>({ kind: KIND, id: subject }))?.value,
  };
}

/**
 * `sub` (OIDC Core §2): who this is, for ever. Made from the environment and what it knows the person by, so that two
 * environments never mean the same one: its own `sub`, where `may_assert.claims` names that claim, and else the email.
 * A hash under a key of the router, which tells nobody what is in it; the same for all portals (`public`, §8), who see
 * the same email anyway.
 */
function makeSubject(key: Buffer, { environment, email, claims }: Identity): string {
  const { sub } = claims;
  const named = typeof sub === 'string' && sub !== '' ? ['sub', sub] : ['email', email];
  return createHmac('sha256', key)
    .update(JSON.stringify([environment, ...named]))
    .digest('base64url');
}

/** Claims that many relying parties take for rights (RFC 9068 §2.2.3.1, and what is customary beside it). */
const RIGHTS = ['role', 'roles', 'groups', 'entitlements', 'permissions', 'admin', 'is_admin', 'moderator'];

/** What may be told to relying parties: claims that give rights only where this environment may give them. */
const repeatable = ({ claims, granted }: Identity): Claims =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !RIGHTS.includes(name) || granted?.has(name)));
