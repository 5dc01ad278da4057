import type { ClaimValue } from '../core/environment.ts';
import type { PortalRequest } from '../core/portal.ts';
import type { Instant } from '../core/time.ts';
import { shapeValue } from './claim-value.ts';
import type { GrantedIdentity } from './portal.ts';
import type { PortalPreset } from './preset.ts';
import type { PlainClaim } from './preset-token.ts';
import { fillText } from './template.ts';

/** Everything that a claim can be made from. */
export type Minting = {
  /** Absent for a visitor whom nobody signed in. */
  readonly identity?: GrantedIdentity;
  readonly request: PortalRequest;
  readonly now: Instant;
  readonly id: string;
};

/** `undefined`: there is nothing to send. */
export type Read = (minting: Minting) => ClaimValue | undefined;

/** What claims are compiled with: `lifetime` is the operator's, in seconds. */
export type ClaimSetting = {
  readonly preset: PortalPreset;
  readonly config: Readonly<Record<string, string>>;
  readonly lifetime: number;
};

/** Compiles one claim. What it returns throws `Refusal` `jwt_claim_malformed`. An empty text counts as absent. */
export function compileClaim(name: string, rule: PlainClaim, setting: ClaimSetting): Read {
  if (rule.const !== undefined) return constant(rule.const);
  if (rule.template !== undefined) {
    const filled = fillText(rule.template, setting.config);
    return ({ request }) => filled(request.params) || undefined;
  }
  const source = rule.from ?? '';
  const read = compileSource(source, setting);
  if (/^(?:time|session)\./.test(source)) {
    const unit = rule.unit === 'ms' ? 1000 : 1;
    return (minting) => (read(minting) as number) * unit;
  }
  const untyped = rule.type === undefined && rule.enum === undefined && isJson(setting.preset, source);
  const shape = (value: ClaimValue) => (untyped ? value : shapeValue(name, rule, value));
  const mayCarry = planPrivilege(rule, source);
  const instead: Read = rule.otherwise ? compileSource(rule.otherwise, setting) : constant(rule.default);
  return (minting) => {
    const value = read(minting);
    if (value === undefined || value === '') return instead(minting);
    return mayCarry(value, minting.identity) ? shape(value) : instead(minting);
  };
}

function compileSource(source: string, { preset, config, lifetime }: ClaimSetting): Read {
  if (source === 'time.iat') return ({ now }) => now;
  if (source === 'time.exp') return ({ now }) => now + lifetime;
  if (source === 'session.exp') return ({ now }) => now + (preset.token.session ?? 0);
  if (source === 'random.uuid') return ({ id }) => id;
  if (source === 'user.email') return ({ identity }) => identity?.email;
  const [from, name = ''] = source.split('.');
  if (from === 'config') return constant(config[name]);
  if (from === 'request') {
    const parse = isJson(preset, source) ? (text: string) => JSON.parse(text) as ClaimValue : (text: string) => text;
    return ({ request: { params } }) => {
      const text = Object.hasOwn(params, name) ? params[name] : undefined;
      return text === undefined ? undefined : parse(text);
    };
  }
  return ({ identity }) =>
    identity && Object.hasOwn(identity.claims, name) ? (identity.claims[name] ?? undefined) : undefined;
}

const constant =
  (value: ClaimValue | undefined): Read =>
  () =>
    value;

const isJson = ({ authn_request: { params } }: PortalPreset, source: string): boolean =>
  source.startsWith('request.') && params[source.slice(8)]?.json === true;

/** Whether a value may be sent: what gives rights needs the environment's grant. */
function planPrivilege(
  { privileged }: PlainClaim,
  source: string,
): (value: ClaimValue, identity: GrantedIdentity | undefined) => boolean {
  if (!privileged) return () => true;
  const claim = source.slice('user.'.length);
  // A list stands beside an `enum`, so a value that is only spelled otherwise is refused later.
  const gives = (value: ClaimValue) => privileged === true || (privileged as readonly ClaimValue[]).includes(value);
  return (value, identity) => !gives(value) || (identity?.granted?.has(claim) ?? false);
}
