import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Instant } from '../core/time.ts';
import { privateKeyFault } from '../keys/signer.ts';
import type { Path } from './problem.ts';
import type { LoginDraft } from './schema.ts';
import type { SecretUse } from './secrets.ts';
import { environmentsOf, type Survey } from './survey.ts';

/** What is wrong with a certificate file, and what to do. */
type Fault = readonly [message: string, remedy: string];

/** Certificates and authorities are what they are called, are in force, and fit the private keys beside them. */
export function checkCertificates(survey: Survey, uses: readonly SecretUse[], now: Instant): void {
  const read = new Map<string, readonly X509Certificate[] | Fault>();
  /** By the reference that names the file; one certificate each. */
  const single = new Map<object, X509Certificate>();
  for (const { kind, path, reference, value } of uses) {
    if (!value || (kind !== 'certificate' && kind !== 'authorities')) continue;
    const text = value.toString('latin1');
    const found = read.get(text) ?? readCertificates(text);
    read.set(text, found);
    if (isFault(found)) survey.report.fault(path, ...found);
    else if (kind === 'certificate' && found.length > 1) {
      survey.report.fault(path, 'holds more than one certificate', 'Keep one, without its chain.');
    } else {
      for (const certificate of found) checkDates(survey, path, certificate, now);
      const [first] = found;
      if (kind === 'certificate' && first) single.set(reference, first);
    }
  }
  checkPairs(survey, single, new Map(uses.map(({ reference, value }) => [reference, value])));
}

function readCertificates(text: string): readonly X509Certificate[] | Fault {
  // The file may end up in the router's metadata.
  if (text.includes('PRIVATE KEY-----')) return ['holds a private key, too', 'Keep the certificate alone in it.'];
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block));
  } catch {
    // Said below.
  }
  return ['is no certificate', 'Give a PEM file: -----BEGIN CERTIFICATE-----.'];
}

const isFault = (found: readonly X509Certificate[] | Fault): found is Fault => typeof found[0] === 'string';

function checkDates({ report }: Survey, path: Path, certificate: X509Certificate, now: Instant): void {
  const day = (date: Date) => date.toISOString().slice(0, 10);
  const { validFromDate, validToDate } = certificate;
  if (validToDate.getTime() / 1000 < now) {
    report.notice(path, `the certificate expired on ${day(validToDate)}`, 'Ask whoever made it for its successor.');
  } else if (validFromDate.getTime() / 1000 > now) {
    report.notice(
      path,
      `the certificate is not valid before ${day(validFromDate)}`,
      'Until then the other side may refuse.',
    );
  }
}

function checkPairs(
  survey: Survey,
  certificates: ReadonlyMap<object, X509Certificate>,
  values: ReadonlyMap<object, Buffer | undefined>,
): void {
  for (const { path, entry } of environmentsOf(survey)) {
    for (const { at, pair, mustBe } of entry.login ? pairsOf(entry.login) : []) {
      const certificate = pair.certificate && certificates.get(pair.certificate);
      const pem = pair.private_key && values.get(pair.private_key);
      if (!pem) continue;
      const keyAt = [...path, 'login', ...at, 'private_key'];
      const key = readKey(pem.toString('utf8'), mustBe);
      if (typeof key === 'string') survey.report.fault(keyAt, key, 'Give a PEM: -----BEGIN PRIVATE KEY-----.');
      else if (certificate && !certificate.checkPrivateKey(key)) {
        survey.report.fault(
          keyAt,
          'does not belong to the certificate beside it',
          'Give the two that were made together.',
        );
      }
    }
  }
}

type Pair = Partial<Pick<NonNullable<LoginDraft['client_certificate']>, 'certificate' | 'private_key'>>;

function pairsOf(login: LoginDraft): { at: Path; pair: Pair; mustBe: 'any' | 'rsa' }[] {
  const pairs: ReturnType<typeof pairsOf> = [];
  if (login.client_certificate)
    pairs.push({ at: ['client_certificate'], pair: login.client_certificate, mustBe: 'any' });
  if (login.protocol !== 'saml') return pairs;
  pairs.push({ at: [], pair: login, mustBe: 'rsa' });
  if (login.decryption) pairs.push({ at: ['decryption'], pair: login.decryption, mustBe: 'rsa' });
  return pairs;
}

/** `rsa`: what XML Signature and XML Encryption are done with here, 2048 bits or more. */
function readKey(pem: string, mustBe: 'any' | 'rsa'): KeyObject | string {
  if (mustBe === 'rsa') {
    const fault = privateKeyFault(pem, 'RS256');
    if (fault) return fault;
  }
  try {
    return createPrivateKey(pem);
  } catch {
    return 'this is no private key in PEM without a passphrase';
  }
}
