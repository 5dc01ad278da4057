/** Somebody who has an account in an environment; `claims` is what the environment says about them. */
export type Person = {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  readonly claims: { readonly email: string } & Readonly<Record<string, string | boolean>>;
};

export const US_PEOPLE: readonly Person[] = [
  {
    id: 'ada',
    name: 'Ada Fields',
    about: 'ada@initech.example, of the account that you call “initech”',
    claims: { email: 'ada@initech.example', account_external_id: 'initech' },
  },
  {
    id: 'sam',
    name: 'Sam Ortega',
    about: 'sam@hooli.example, of no account: the portal goes by the email’s domain',
    claims: { email: 'sam@hooli.example' },
  },
];

export const EU_PEOPLE: readonly Person[] = [
  {
    id: 'lea',
    name: 'Léa Moreau',
    about: 'lea@boulangerie.example, of the account that the portal calls “acc_2041”',
    claims: { email: 'lea@boulangerie.example', account_id: 'acc_2041' },
  },
  {
    id: 'jonas',
    name: 'Jonas Weber',
    about: 'jonas@werk.example, of no account',
    claims: { email: 'jonas@werk.example' },
  },
];

export const GLOBEX_PEOPLE: readonly Person[] = [
  {
    id: 'hank',
    name: 'Hank Scorpio',
    about: 'hank@globex.example',
    claims: { email: 'hank@globex.example', account_external_id: 'whatever-globex-likes' },
  },
  {
    id: 'mallory',
    name: 'Mallory',
    about: 'Globex says, with a valid signature, that this is ada@initech.example. The router must not repeat it.',
    claims: { email: 'ada@initech.example' },
  },
];

export const WONKA_PEOPLE: readonly Person[] = [
  {
    id: 'charlie',
    name: 'Charlie Bucket',
    about: 'charlie@wonka.example, of the tenant “wonka-eu”',
    claims: { email: 'charlie@wonka.example', email_verified: true, tenant: 'wonka-eu' },
  },
  {
    id: 'veruca',
    name: 'Veruca Salt',
    about: 'veruca@wonka.example, an address that Wonka has never verified. The router must not believe it.',
    claims: { email: 'veruca@wonka.example', email_verified: false },
  },
];

export const ACCOUNT_PEOPLE: readonly Person[] = [
  {
    id: 'nina',
    name: 'Nina Okafor',
    about: 'nina@acme.example, of Acme itself',
    claims: { email: 'nina@acme.example', account_external_id: 'acme' },
  },
];

export const SOYLENT_PEOPLE: readonly Person[] = [
  {
    id: 'robert',
    name: 'Robert Thorn',
    about: 'robert@soylent.example',
    claims: { email: 'robert@soylent.example' },
  },
];

export const INITRODE_PEOPLE: readonly Person[] = [
  {
    id: 'peter',
    name: 'Peter Gibbons',
    about: 'peter@initrode.example, of the tenant “org_initrode”',
    claims: { email: 'peter@initrode.example', tenant_id: 'org_initrode' },
  },
];
