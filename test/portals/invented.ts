import type { Claims } from '../../src/core/environment.ts';
import type { EnvironmentName, PortalName } from '../../src/core/names.ts';
import { parsePreset } from '../../src/portals/load.ts';
import { openPortal } from '../../src/portals/open-portal.ts';
import type { GrantedIdentity, PortalSettings } from '../../src/portals/portal.ts';
import type { PortalPreset } from '../../src/portals/preset.ts';

export type Tree = Record<string, unknown>;
export type Change = (tree: Tree) => void;

/** An invented portal that uses what the built-in ones do not: echoes, a tenant, a key, lists, units. */
export const invented = (): Tree => ({
  schema: 1,
  id: 'invented',
  title: 'Invented',
  sources: [],
  config: { subdomain: { label: 'Subdomain', pattern: '[a-z0-9-]+', required: true, example: 'acme' } },
  authn_request: {
    encoding: 'query',
    params: {
      subdomain: { role: 'tenant', required: true, equals: '{config.subdomain}' },
      key: { role: 'replay_key', required: true, max_length: 8 },
      state: { role: 'state' },
    },
  },
  token: {
    format: 'jws',
    algs: ['HS256'],
    keys: { HS: { encoding: 'utf8', publish: 'shared' } },
    claims: {
      jti: { from: 'request.key', required: true },
      iat: { from: 'time.iat', unit: 'ms' },
      email: { from: 'user.email', required: true },
      name: { from: 'user.name', required: true },
      role: { from: 'user.role', enum: ['viewer', 'editor'], default: 'viewer' },
      tags: { from: 'user.tags', type: 'array', join: ',' },
      age: { from: 'user.age', type: 'number' },
      site: { template: '{config.subdomain}/{request.key}' },
      v: { const: 3 },
    },
    lifetime: { default: 60, max: 120 },
    replay: 'request_key',
  },
  authn_response: {
    mode: 'query',
    token_param: 'jwt',
    target: { url: 'https://{config.subdomain}.portal.test/sso?key={request.key}' },
    params: { state: 'request.state' },
  },
  unsolicited: false,
});

export const changed = (...changes: Change[]): Tree => {
  const tree = invented();
  for (const change of changes) change(tree);
  return tree;
};

/** Sets a value deep in a tree; `undefined` removes it. */
export const set =
  (path: string, value: unknown): Change =>
  (tree) => {
    const steps = path.split('.');
    const last = steps.pop() ?? '';
    let at = tree;
    for (const step of steps) at = at[step] as Tree;
    if (value === undefined) delete at[last];
    else at[last] = value;
  };

/** The preset that a tree is; throws with its faults. */
export function presetOf(tree: Tree): PortalPreset {
  const outcome = parsePreset(tree);
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.problems));
  return outcome.preset;
}

export const SETTINGS: PortalSettings = {
  portal: { name: 'docs' as PortalName, title: 'Docs', environments: new Set() },
  publicOrigin: 'https://login.acme.test',
  settings: { subdomain: 'acme' },
  allowRedirects: [],
  tokenLifetime: 60,
};

export const open = (tree: Tree, settings: Partial<PortalSettings> = {}) =>
  openPortal(presetOf(tree), { ...SETTINGS, ...settings });

export const person = (claims: Claims = {}, ...granted: string[]): GrantedIdentity => ({
  environment: 'us' as EnvironmentName,
  email: 'ada@acme.test',
  claims,
  ...(granted.length > 0 && { granted: new Set(granted) }),
});
