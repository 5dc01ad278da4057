import type { Path } from './problem.ts';
import type { LoginDraft, SecretReference } from './schema.ts';
import { environmentsOf, portalsOf, type Survey } from './survey.ts';

/** `{ env }` or `{ file }` as it stands in the tree. */
export type Reference = { readonly [Key in keyof SecretReference]?: SecretReference[Key] | undefined };

/**
 * What a file or a variable is named for. The router's own keys are told apart by what they prove: see
 * secret-rules.ts for which may stand twice.
 */
export type UseKind =
  | 'seal_key'
  | 'secret'
  | 'store_password'
  /** A portal's signing key, or what an OpenID provider knows the router by. */
  | 'private_key'
  | 'tls_key'
  | 'saml_signing_key'
  | 'saml_decryption_key'
  | PublicKind;

/** What may be read by anybody: keys of others, one certificate, certificate authorities, SAML metadata. */
export type PublicKind = 'public_key' | 'certificate' | 'authorities' | 'metadata';

const PUBLIC: readonly UseKind[] = ['public_key', 'certificate', 'authorities', 'metadata'] satisfies PublicKind[];

export const isPublic = (kind: UseKind): kind is PublicKind => PUBLIC.includes(kind);

/** One place of the file where a secret, a key or a certificate is named. */
export type NamedUse = { readonly path: Path; readonly kind: UseKind; readonly reference: Reference };

type Add = (at: Path, kind: UseKind, reference: Reference | undefined) => void;

/** Everything that the file names by `{ env }` or `{ file }`, pictures aside. */
export function namedUses(survey: Survey): NamedUse[] {
  const uses: NamedUse[] = [];
  const add: Add = (path, kind, reference) => {
    if (reference) uses.push({ path, kind, reference });
  };
  for (const [index, reference] of (survey.draft.seal_keys ?? []).entries())
    add(['seal_keys', index], 'seal_key', reference);
  if (typeof survey.draft.store === 'object') add(['store', 'password'], 'store_password', survey.draft.store.password);
  for (const { path, entry } of portalsOf(survey)) {
    add([...path, 'signing', 'secret'], 'secret', entry.signing?.secret);
    add([...path, 'signing', 'private_key'], 'private_key', entry.signing?.private_key);
    add([...path, 'signing', 'next', 'secret'], 'secret', entry.signing?.next?.secret);
    add([...path, 'signing', 'next', 'private_key'], 'private_key', entry.signing?.next?.private_key);
    add([...path, 'oidc', 'client_secret'], 'secret', entry.oidc?.client_secret);
    if (entry.oidc) addTrust(add, [...path, 'oidc'], entry.oidc);
  }
  for (const { path, entry } of environmentsOf(survey)) {
    if (entry.login) addLogin(add, [...path, 'login'], entry.login);
    add([...path, 'logout', 'pull', 'secret'], 'secret', entry.logout?.pull?.secret);
    add([...path, 'proxy', 'ca'], 'authorities', entry.proxy?.ca);
  }
  return uses;
}

type Trusting = Pick<LoginDraft, 'ca' | 'client_certificate'>;

function addTrust(add: Add, path: Path, { ca, client_certificate: pair }: Trusting): void {
  add([...path, 'ca'], 'authorities', ca);
  add([...path, 'client_certificate', 'certificate'], 'certificate', pair?.certificate);
  add([...path, 'client_certificate', 'private_key'], 'tls_key', pair?.private_key);
}

function addLogin(add: Add, path: Path, login: LoginDraft): void {
  addTrust(add, path, login);
  switch (login.protocol) {
    case 'handoff':
      add([...path, 'secret'], 'secret', login.secret);
      add([...path, 'public_key'], 'public_key', login.public_key);
      break;
    case 'oidc':
      add([...path, 'client_secret'], 'secret', login.client_secret);
      add([...path, 'private_key'], 'private_key', login.private_key);
      break;
    case 'saml':
      add([...path, 'metadata'], 'metadata', login.metadata);
      for (const [index, file] of (login.certificates ?? []).entries())
        add([...path, 'certificates', index], 'certificate', file);
      add([...path, 'certificate'], 'certificate', login.certificate);
      add([...path, 'private_key'], 'saml_signing_key', login.private_key);
      add([...path, 'decryption', 'certificate'], 'certificate', login.decryption?.certificate);
      add([...path, 'decryption', 'private_key'], 'saml_decryption_key', login.decryption?.private_key);
      break;
    default:
  }
}
