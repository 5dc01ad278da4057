import { BlockList } from 'node:net';
import type { EnvironmentName, PortalName } from '../core/names.ts';
import { addRange } from '../core/rule.ts';
import { parseSealKey } from '../keys/seal-key.ts';
import type { PortalPreset } from '../portals/preset.ts';
import { buildDiscovery } from './build-discovery.ts';
import { buildEnvironment } from './build-environment.ts';
import { buildPortal } from './build-portal.ts';
import { buildRelyingParty } from './build-relying-party.ts';
import { seconds } from './built-values.ts';
import type { CheckedBranding, CheckedPortal, CheckedRelyingParty, CheckedRoutes, HostAndPort } from './checked.ts';
import type { Pictures } from './picture-rules.ts';
import type { SamlProviders } from './saml-rules.ts';
import type { RoutesFile } from './schema.ts';
import type { Secrets } from './secrets.ts';
import { buildStore } from './store-rules.ts';

export type Found = {
  readonly file: string;
  readonly files: readonly string[];
  readonly secrets: Secrets;
  readonly presets: ReadonlyMap<PortalName, PortalPreset>;
  readonly pictures: Pictures;
  readonly samlProviders: SamlProviders;
};

/** A file without faults → the checked tree. What cannot happen in such a file is a bug and throws `Error`. */
export function buildRoutes(tree: RoutesFile, found: Found): CheckedRoutes {
  const { secrets, pictures } = found;
  const { origin: publicOrigin } = new URL(tree.public_url);
  const environments = new Map(
    Object.entries(tree.environments).map(([name, entry]) => {
      return [name as EnvironmentName, buildEnvironment(name as EnvironmentName, entry, publicOrigin, found)];
    }),
  );
  const portals: [PortalName, CheckedPortal][] = [];
  const relyingParties: [PortalName, CheckedRelyingParty][] = [];
  for (const [key, entry] of Object.entries(tree.portals)) {
    const name = key as PortalName;
    const all = environments.keys();
    if (entry.oidc) relyingParties.push([name, buildRelyingParty(name, entry, entry.oidc, all, secrets)]);
    else portals.push([name, buildPortal(name, entry, publicOrigin, all, found)]);
  }
  const corePortals = [...portals.map(([, { settings }]) => settings), ...relyingParties.map(([, party]) => party)];
  const core = new Map([...environments].map(([name, { environment }]) => [name, environment]));
  const rateLimit = tree.rate_limit && buildRateLimit(tree.rate_limit);
  return {
    file: found.file,
    files: found.files,
    publicOrigin,
    issuer: `${publicOrigin}/`,
    listen: hostAndPort(tree.listen ?? '0.0.0.0:8080'),
    admin: hostAndPort(tree.admin ?? '127.0.0.1:9090'),
    trustedProxies: ranges(tree.trusted_proxies ?? []),
    ...buildStore(tree.store, found.file, secrets),
    sealKeys: (tree.seal_keys ?? []).map((reference) => sealKey(secrets.get(reference))),
    loginLifetime: seconds(tree.login_lifetime ?? '10m'),
    ...(rateLimit && { rateLimit }),
    ...(tree.record && { record: { keep: tree.record.keep } }),
    insecureDevelopment: tree.insecure_development ?? false,
    ...(tree.branding && { branding: buildBranding(tree.branding, pictures.get('branding.logo')) }),
    routes: {
      portals: new Map(corePortals.map(({ portal }) => [portal.name, portal])),
      environments: core,
      discovery: buildDiscovery(tree.discovery, core),
    },
    portals: new Map(portals),
    relyingParties: new Map(relyingParties),
    environments,
    // biome-ignore lint/suspicious/noThenProperty: the file’s word; this is never awaited
    logout: { then: tree.logout?.then ?? 'app', fanOut: tree.logout?.fan_out ?? 'origin' },
  };
}

function hostAndPort(text: string): HostAndPort {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

function ranges(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) addRange(list, text);
  return list;
}

function sealKey(text: Buffer | undefined): Buffer {
  const key = text && parseSealKey(text.toString('latin1'));
  if (!key) throw new Error('a seal key that was checked cannot be read');
  return key;
}

/** `20/s`, `600/m`; a burst of one second's worth unless said. */
function buildRateLimit({ per_client: rate, burst }: NonNullable<RoutesFile['rate_limit']>) {
  const [amount, unit] = rate.split('/');
  const perSecond = Number(amount) / (unit === 'm' ? 60 : 1);
  return { perSecond, burst: burst ?? Math.max(1, Math.ceil(perSecond)) };
}

function buildBranding(
  { name, accent, accent_dark: accentDark }: NonNullable<RoutesFile['branding']>,
  logo: string | undefined,
): CheckedBranding {
  return {
    name,
    ...(logo !== undefined && { logo }),
    ...(accent !== undefined && { accent }),
    ...(accentDark !== undefined && { accentDark }),
  };
}
