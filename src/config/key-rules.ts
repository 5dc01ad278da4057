import type { PortalName } from '../core/names.ts';
import { hmacSecretFault } from '../keys/hmac.ts';
import { type Algorithm, type HmacAlgorithm, isHmac, type PublicKeyAlgorithm } from '../keys/keys.ts';
import { publicKeyFault } from '../keys/public-key.ts';
import { privateKeyFault } from '../keys/signer.ts';
import { portalKeyFault } from '../portals/portal-key.ts';
import type { PortalPreset } from '../portals/preset.ts';
import type { Path } from './problem.ts';
import type { LoginDraft, PortalDraft } from './schema.ts';
import type { Secrets } from './secrets.ts';
import { environmentsOf, portalsOf, type Survey } from './survey.ts';

type HandoffDraft = Extract<LoginDraft, { protocol?: 'handoff' | undefined }>;

/** The key fits the algorithm, on both sides: kind, size (RFC 7518 §3.2, §3.3), and one kind of key only. */
export function checkKeys(survey: Survey, values: Secrets, presets: ReadonlyMap<PortalName, PortalPreset>): void {
  for (const { name, path, entry } of portalsOf(survey)) {
    const preset = presets.get(name as PortalName);
    if (entry.signing) checkSigning(survey, [...path, 'signing'], entry.signing, values, preset);
  }
  for (const { path, entry } of environmentsOf(survey)) {
    const { login } = entry;
    if (login?.protocol === 'handoff') checkHandoff(survey, [...path, 'login'], login, values);
  }
}

function checkSigning(
  { report }: Survey,
  path: Path,
  signing: NonNullable<PortalDraft['signing']>,
  values: Secrets,
  preset: PortalPreset | undefined,
): void {
  const { algorithm, secret, private_key: privateKey, next } = signing;
  if (algorithm === undefined) return;
  const judge = (at: Path, reference: object | undefined, remedy: string) => {
    const text = reference && values.get(reference);
    const fault = text && keyFault(preset, algorithm, text);
    if (fault) report.fault(at, fault, remedy);
  };
  if (next) checkNext(report, [...path, 'next'], algorithm, signing);
  const secretAt = [...path, 'secret'];
  const keyAt = [...path, 'private_key'];
  if (isHmac(algorithm)) {
    if (!secret && !report.blamed(secretAt)) {
      report.fault(
        secretAt,
        'required, and missing',
        `${algorithm} needs the secret that router and portal share.`,
        'key',
      );
    }
    if (privateKey)
      report.fault(keyAt, `${algorithm} uses no private key`, 'Remove it, or choose a PS* algorithm.', 'key');
    judge(secretAt, secret, MAKE_SECRET);
    judge([...path, 'next', 'secret'], next?.secret, MAKE_SECRET);
    return;
  }
  if (secret)
    report.fault(secretAt, `${algorithm} uses no shared secret`, 'Remove it, or choose an HS* algorithm.', 'key');
  judge(keyAt, privateKey, 'Without private_key the router makes a key of its own.');
  judge([...path, 'next', 'private_key'], next?.private_key, 'Give the key that the portal is about to be told of.');
}

/** What takes over is of the kind that is there now; a key that the router keeps is switched in the store. */
function checkNext(
  report: Survey['report'],
  path: Path,
  algorithm: Algorithm,
  { private_key: privateKey, next }: NonNullable<PortalDraft['signing']>,
): void {
  const wanted = isHmac(algorithm) ? 'secret' : 'private_key';
  const other = isHmac(algorithm) ? 'private_key' : 'secret';
  if (wanted === 'private_key' && !privateKey && !report.blamed([...path.slice(0, -1), 'private_key'])) {
    report.fault(path, 'the router keeps this portal’s keys itself', 'Use `wayhome keys`, and remove next.', 'key');
    return;
  }
  if (next?.[other]) report.fault([...path, other], `${algorithm} uses no ${other}`, `Write ${wanted}.`, 'key');
  if (!next?.[wanted] && !report.blamed([...path, wanted]))
    report.fault([...path, wanted], 'required, and missing', `It takes the place of ${wanted}.`, 'key');
}

/** A portal may read the text of a key in a way of its own; without its preset, the usual one is judged. */
function keyFault(preset: PortalPreset | undefined, algorithm: Algorithm, text: Buffer): string | undefined {
  if (preset?.token.algs.includes(algorithm)) return portalKeyFault(preset, algorithm, text);
  return isHmac(algorithm) ? hmacSecretFault([algorithm], text) : privateKeyFault(text.toString('utf8'), algorithm);
}

function checkHandoff(survey: Survey, path: Path, login: HandoffDraft, values: Secrets): void {
  const { report } = survey;
  if (login.unsolicited && login.nonce) {
    const message = 'unsolicited: allowed cannot stand beside nonce: not_echoed';
    report.fault(
      [...path, 'unsolicited'],
      message,
      'Tokens for /enter and for /return could not be told apart. Remove one.',
    );
  }
  const algorithms = (login.algorithms ?? []).filter((algorithm) => algorithm !== undefined);
  const hmac = algorithms.filter(isHmac);
  if (hmac.length > 0 && hmac.length < algorithms.length) {
    const remedy = 'One key would be read as the other. Keep the kind that the environment signs with.';
    report.fault([...path, 'algorithms'], 'HMAC and public-key algorithms cannot stand in one list', remedy);
    return;
  }
  checkSources(survey, path, login, algorithms);
  checkValues(survey, path, login, algorithms, values);
}

/** Exactly one of secret, jwks_url and public_key, of the kind that the algorithms need. */
function checkSources({ report }: Survey, path: Path, login: HandoffDraft, algorithms: readonly Algorithm[]): void {
  const given = KEY_WORDS.filter((word) => login[word] !== undefined);
  const [first, ...others] = given;
  for (const other of others) {
    report.fault(
      [...path, other],
      `${other} stands beside ${first}`,
      'Keep exactly one of secret, jwks_url, public_key.',
      'key',
    );
  }
  const [example] = algorithms;
  if (example === undefined) return;
  const wanted: readonly string[] = isHmac(example) ? ['secret'] : ['jwks_url', 'public_key'];
  if (first === undefined) {
    // One that is there and faulty has been reported.
    if (KEY_WORDS.some((word) => report.blamed([...path, word]))) return;
    report.fault(
      [...path, wanted[0] ?? ''],
      'required, and missing',
      `${example} needs ${wanted.join(' or ')}.`,
      'key',
    );
  } else if (others.length === 0 && !wanted.includes(first)) {
    report.fault([...path, first], `${first} does not fit ${example}`, `Write ${wanted.join(' or ')}.`, 'key');
  }
}

function checkValues(
  { report }: Survey,
  path: Path,
  login: HandoffDraft,
  algorithms: readonly Algorithm[],
  values: Secrets,
): void {
  const secret = login.secret && values.get(login.secret);
  const hmac = algorithms.filter(isHmac) satisfies HmacAlgorithm[];
  const short = secret && hmac.length > 0 ? hmacSecretFault(hmac, secret) : undefined;
  if (short) report.fault([...path, 'secret'], short, MAKE_SECRET);

  const key = login.public_key && values.get(login.public_key);
  const asymmetric = algorithms.filter((algorithm): algorithm is PublicKeyAlgorithm => !isHmac(algorithm));
  const unfit = key && asymmetric.length > 0 ? publicKeyFault(key.toString('utf8'), asymmetric) : undefined;
  if (unfit) report.fault([...path, 'public_key'], unfit, 'Give a PEM (key or certificate) or a JWK.');
}

const KEY_WORDS = ['secret', 'jwks_url', 'public_key'] as const;
const MAKE_SECRET = 'Make one with: openssl rand -hex 32 (64 for HS512).';
