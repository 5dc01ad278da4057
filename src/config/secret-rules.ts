import { createPrivateKey } from 'node:crypto';
import { normalize } from 'node:path';
import { parseSealKey, SEAL_KEY_BYTES } from '../keys/seal-key.ts';
import { dotted } from './problem.ts';
import { isPublic, type UseKind } from './secret-uses.ts';
import type { SecretUse } from './secrets.ts';
import type { Survey } from './survey.ts';

/**
 * Keys by which the router proves itself with a certificate. Its counterparts know the public half alone, and what it
 * signs (a TLS handshake, a SAML request with its `Destination`) is of no use elsewhere: one key may name the router
 * to several environments. The client key of `private_key_jwt` is not among them: a provider that lies about its own
 * address can ask for an assertion that another one would take (RFC 7523 §3, `aud`).
 */
const ONE_FOR_SEVERAL: readonly UseKind[] = ['tls_key', 'saml_signing_key', 'saml_decryption_key'];

/**
 * A secret serves one purpose: whoever holds it for one can act in all of them. Compared by what is named
 * (the same variable or file twice) and by value; the later place is reported. A key of `ONE_FOR_SEVERAL` may stand
 * in several environments, for the same purpose only.
 */
export function checkOnePurpose({ report }: Survey, uses: readonly SecretUse[]): void {
  const first = new Map<string, SecretUse>();
  for (const use of uses) {
    if (isPublic(use.kind)) continue;
    const marks = [...nameMarks(use), ...valueMarks(use)];
    const other = marks.map((mark) => first.get(mark)).find((found) => found !== undefined);
    if (other && !(other.kind === use.kind && ONE_FOR_SEVERAL.includes(use.kind))) {
      const message = `the same secret as ${dotted(other.path)}`;
      report.fault(use.path, message, remedyFor(use.kind));
    }
    for (const mark of marks) if (!first.has(mark)) first.set(mark, use);
  }
}

const remedyFor = (kind: UseKind): string =>
  ONE_FOR_SEVERAL.includes(kind)
    ? 'Make another one: a key serves one purpose, though several environments may know it for that.'
    : 'Make another one: each party may know its own secret only.';

/** Seal keys are base64url of 32 bytes or more. */
export function checkSealKeys({ report }: Survey, uses: readonly SecretUse[]): void {
  for (const { kind, path, value } of uses) {
    if (kind !== 'seal_key' || !value || parseSealKey(value.toString('latin1'))) continue;
    const remedy = 'Make one with: openssl rand -base64 32 | tr +/ -_ | tr -d =';
    report.fault(path, `a seal key must be ${SEAL_KEY_BYTES} bytes or more in base64url`, remedy);
  }
}

/** Of one that could not be read: its value would tell as much. */
function nameMarks({ reference: { env, file }, value }: SecretUse): string[] {
  if (value) return [];
  return [...(env === undefined ? [] : [`env:${env}`]), ...(file === undefined ? [] : [`file:${normalize(file)}`])];
}

function valueMarks({ kind, value }: SecretUse): string[] {
  if (!value) return [];
  const marks = [`value:${value.toString('base64')}`];
  if (kind === 'private_key' || ONE_FOR_SEVERAL.includes(kind)) {
    try {
      // One key can be written as several texts.
      marks.push(`key:${createPrivateKey(value).export({ type: 'pkcs8', format: 'der' }).toString('base64')}`);
    } catch {
      // Not a key: key-rules.ts says so.
    }
  }
  return marks;
}
