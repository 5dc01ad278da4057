import { createSecretKey } from 'node:crypto';
import { CompactSign } from 'jose';
import type { Algorithm, Signer } from '../keys/keys.ts';
import { openSigner, type SigningKey } from '../keys/signer.ts';
import type { SigningThread } from '../keys/signing-thread.ts';
import { fillSettings } from './check-settings.ts';
import { discourseSigner } from './discourse-connect.ts';
import type { PortalSettings } from './portal.ts';
import { readSigningKey } from './portal-key.ts';
import type { PortalPreset } from './preset.ts';
import { fillText } from './template.ts';

/**
 * Opens what signs one portal's tokens, in the preset's format and with its header. `key` is what routes.yaml holds;
 * it is decoded here where the portal decodes it. Throws an `Error` that tells the operator what is wrong with it.
 */
export async function openTokenSigner(
  preset: PortalPreset,
  given: Pick<PortalSettings, 'settings' | 'publicOrigin'>,
  algorithm: Algorithm,
  key: SigningKey,
  thread?: SigningThread,
): Promise<Signer> {
  const read = readSigningKey(preset, algorithm, key);
  const signer = await openSigner(algorithm, read, thread);
  if (!('secret' in read)) return signer;
  if (preset.token.format === 'discourse_connect') return discourseSigner(read.secret);
  const { header } = preset.token;
  return header
    ? withHeader(signer, ownHeader(header, fillSettings(preset, given.settings, given.publicOrigin)), read)
    : signer;
}

function ownHeader(header: Readonly<Record<string, string>>, config: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(header).map(([name, value]) => [name, fillText(value, config)({})]));
}

/** The usual header has no room for another member, so these few portals are signed for by jose. */
function withHeader(
  { algorithm: alg }: Signer,
  header: Readonly<Record<string, string>>,
  { secret }: { readonly secret: Buffer },
): Signer {
  const key = createSecretKey(secret);
  const encoder = new TextEncoder();
  return {
    algorithm: alg,
    sign: (claims) =>
      new CompactSign(encoder.encode(claims)).setProtectedHeader({ alg, typ: 'JWT', ...header }).sign(key),
  };
}
