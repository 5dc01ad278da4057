import type { Path } from './problem.ts';
import type { PortalDraft } from './schema.ts';
import type { Secrets } from './secrets.ts';
import { portalsOf, type Survey } from './survey.ts';

/** Words of a portal with a preset: those that it has to have, and those that have no meaning beside `oidc`. */
const NEEDED = {
  preset: 'Write a built-in preset, or a path to a preset file; or oidc, for a portal that takes any OpenID provider.',
  login_path: 'Write a path: the Remote Login URL is public_url and this.',
  signing: 'Write the algorithm and the key of the portal token: { algorithm: HS256, secret: { env: NAME } }.',
} as const;
const OF_PRESETS = [
  'preset',
  'login_path',
  'settings',
  'signing',
  'token_lifetime',
  'claims',
  'delivery',
  'allow_redirects',
  'metadata_at_login_path',
] as const;

/** Characters of a client secret: a guess at it is made by anybody, as often as the rate limit lets them. */
const SHORTEST_SECRET = 32;

type OidcDraft = NonNullable<PortalDraft['oidc']>;

/** A portal has a preset or is a relying party, and a relying party can prove itself. */
export function checkRelyingParties(survey: Survey, secrets: Secrets): void {
  const { report } = survey;
  const named = new Map<string, string>();
  for (const { name, path, entry } of portalsOf(survey)) {
    const { oidc } = entry;
    if (!oidc) {
      if (!report.blamed([...path, 'oidc'])) checkPreset(survey, path, entry);
      continue;
    }
    for (const word of OF_PRESETS) {
      if (entry[word] === undefined) continue;
      report.fault([...path, word], `${word} has no meaning beside oidc`, 'Remove it, or remove oidc.', 'key');
    }
    const { client_id: id } = oidc;
    const other = id === undefined ? undefined : named.get(id);
    if (other !== undefined)
      report.fault(
        [...path, 'oidc', 'client_id'],
        `is the client_id of ${other} already`,
        'Give every portal its own.',
      );
    else if (id !== undefined) named.set(id, name);
    checkSecret(survey, [...path, 'oidc'], oidc, secrets);
  }
}

function checkPreset({ report }: Survey, path: Path, entry: PortalDraft): void {
  for (const [word, remedy] of Object.entries(NEEDED)) {
    const at = [...path, word];
    if (entry[word as keyof typeof NEEDED] !== undefined || report.blamed(at)) continue;
    report.fault(at, 'required, and missing', remedy, 'key');
  }
}

function checkSecret({ report }: Survey, path: Path, oidc: OidcDraft, secrets: Secrets): void {
  const at = [...path, 'client_secret'];
  const { client_secret: reference, client_auth: auth } = oidc;
  if (auth === 'none') {
    if (reference) report.fault(at, 'a public client has no secret', 'Remove it, or remove client_auth: none.', 'key');
    return;
  }
  if (!reference) {
    if (report.blamed(at) || report.blamed([...path, 'client_auth'])) return;
    report.fault(at, 'required, and missing', 'A portal that can keep no secret says client_auth: none.', 'key');
    return;
  }
  const value = secrets.get(reference)?.toString('latin1');
  if (value === undefined) return;
  const remedy = 'Make one with: openssl rand -hex 32.';
  if (!/^[\x21-\x7e]*$/.test(value)) report.fault(at, 'a client secret is plain ASCII without spaces', remedy);
  else if (value.length < SHORTEST_SECRET)
    report.fault(at, `the secret has ${value.length} characters; it needs at least ${SHORTEST_SECRET}`, remedy);
}
