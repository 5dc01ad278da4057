import type { EnvironmentName, PortalName } from '../core/names.ts';
import { isHmac } from '../keys/keys.ts';
import type { Found } from './build-routes.ts';
import { instantOf, seconds, secretFor, textFor } from './built-values.ts';
import type { CheckedPortal, CheckedSigning } from './checked.ts';
import type { RoutesFile } from './schema.ts';

type PortalEntry = RoutesFile['portals'][string];

/** One entry of `portals`, faultless, with its preset. */
export function buildPortal(
  name: PortalName,
  entry: PortalEntry,
  publicOrigin: string,
  all: Iterable<EnvironmentName>,
  { presets, secrets }: Pick<Found, 'presets' | 'secrets'>,
): CheckedPortal {
  const preset = presets.get(name);
  if (!preset) throw new Error(`the preset of ${name} was checked and is gone`);
  const { signing, login_path: loginPath } = entry;
  if (!signing || loginPath === undefined) throw new Error(`the portal ${name} was checked and lacks a word`);
  const { delivery, logout_path: logoutPath, home_url: homeUrl } = entry;
  return {
    preset,
    settings: {
      portal: {
        name,
        title: entry.title ?? name,
        environments: new Set((entry.environments as EnvironmentName[] | undefined) ?? all),
      },
      publicOrigin,
      settings: { ...entry.settings },
      allowRedirects: entry.allow_redirects ?? [],
      ...(isHmac(signing.algorithm) && {
        secret: secretFor(signing.secret, secrets),
        ...(signing.next && { nextSecret: secretFor(signing.next.secret, secrets) }),
      }),
      tokenLifetime: entry.token_lifetime === undefined ? preset.token.lifetime.default : seconds(entry.token_lifetime),
      ...(delivery && {
        delivery: {
          ...(delivery.mode !== undefined && { mode: delivery.mode }),
          ...(delivery.param !== undefined && { param: delivery.param }),
          ...(delivery.unsolicited_param !== undefined && { unsolicitedParam: delivery.unsolicited_param }),
        },
      }),
    },
    loginPath,
    ...(logoutPath !== undefined && { logoutPath }),
    signing: buildSigning(signing, secrets),
    metadataAtLoginPath: entry.metadata_at_login_path ?? false,
    ...(homeUrl !== undefined && { homeUrl }),
  };
}

function buildSigning(
  { algorithm, secret, private_key: key, next }: NonNullable<PortalEntry['signing']>,
  secrets: Found['secrets'],
): CheckedSigning {
  const at = next && { at: instantOf(next.at) };
  if (isHmac(algorithm)) {
    const then = at && { next: { ...at, secret: secretFor(next.secret, secrets) } };
    return { algorithm, secret: secretFor(secret, secrets), ...then };
  }
  if (!key) return { algorithm };
  const then = at && { next: { ...at, privateKeyPem: textFor(next.private_key, secrets) } };
  return { algorithm, privateKeyPem: textFor(key, secrets), ...then };
}
