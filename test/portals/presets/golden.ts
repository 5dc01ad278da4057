/**
 * Golden cases of the built-in presets (golden/<id>.yaml): requests as the product's documents write them, and what
 * leaves for it. A signed request is signed here as the product signs it. In what leaves, the token is written TOKEN
 * and a signature that travels beside it SIGNATURE.
 */
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import jsonwebtoken from 'jsonwebtoken';
import { parse } from 'yaml';
import type { Claims } from '../../../src/core/environment.ts';
import type { EnvironmentName, PortalName } from '../../../src/core/names.ts';
import type { PortalRequest } from '../../../src/core/portal.ts';
import type { Algorithm, PublicKeyAlgorithm } from '../../../src/keys/keys.ts';
import { makeSigningKey, type SigningKey } from '../../../src/keys/signer.ts';
import { splitDiscourseToken } from '../../../src/portals/discourse-connect.ts';
import { builtInPreset } from '../../../src/portals/load.ts';
import { openPortal } from '../../../src/portals/open-portal.ts';
import type { Delivery, GrantedIdentity, OpenPortal } from '../../../src/portals/portal.ts';
import type { PortalPreset } from '../../../src/portals/preset.ts';
import { readQuery } from '../../../src/portals/query.ts';
import { openTokenSigner } from '../../../src/portals/token-signer.ts';

export const NOW = 1_795_000_000;
export const ID = '5f0c2f9e-9a3b-4c1d-8e7f-0a1b2c3d4e5f';
/** 64 characters, which a portal may also read as base64. */
export const SECRET = 'Z29sZGVuLXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVmLTAxMjM0NTY3ODlhYmNkZWY0';

export type Parameters = Readonly<Record<string, unknown>>;

export type GoldenCase = {
  readonly what: string;
  /** Parameters of the Remote Login URL, or, where the portal signs its requests, what is signed. */
  readonly asks?: Parameters;
  /** The query as the portal writes it, where it does not encode it. */
  readonly query?: string;
  readonly door?: 'login' | 'entry' | 'traded' | 'guest';
  /** What the environment says beside the email, ada@acme.test. */
  readonly person?: Claims;
  readonly granted?: readonly string[];
  readonly to?: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly header?: Parameters;
  readonly claims?: Parameters;
  /** The reason of a refusal, in place of `to`. */
  readonly refused?: string;
};

type Golden = {
  readonly settings: Readonly<Record<string, string>>;
  readonly algorithm?: Algorithm;
  /** The first is a login that succeeds. */
  readonly cases: readonly [GoldenCase, ...GoldenCase[]];
};

export type Stage = {
  readonly preset: PortalPreset;
  readonly golden: Golden;
  readonly algorithm: Algorithm;
  readonly key: SigningKey;
  readonly portal: OpenPortal;
};

/** What leaves for the portal. */
export type Left = { readonly delivery: Delivery; readonly token: string; readonly payload: string };

/** Opens a built-in preset with the settings of its golden cases; `undefined` where it has none. */
export function openGolden(id: string): Stage | undefined {
  const preset = builtInPreset(id);
  const file = new URL(`./golden/${id}.yaml`, import.meta.url);
  if (!preset || !existsSync(file)) return undefined;
  const golden = parse(readFileSync(file, 'utf8')) as Golden;
  const algorithm = golden.algorithm ?? preset.token.algs[0] ?? 'HS256';
  const key = keyFor(algorithm);
  const portal = openPortal(preset, {
    ...at(golden.settings),
    portal: { name: 'golden' as PortalName, title: preset.title, environments: new Set() },
    allowRedirects: [],
    tokenLifetime: preset.token.lifetime.default,
    ...('secret' in key && { secret: key.secret }),
  });
  return { preset, golden, algorithm, key, portal };
}

const at = (settings: Golden['settings']) => ({ settings, publicOrigin: 'https://login.acme.test' });

const keyFor = (algorithm: Algorithm): SigningKey =>
  algorithm.startsWith('HS')
    ? { secret: Buffer.from(SECRET) }
    : { privateKeyPem: makeSigningKey(algorithm as PublicKeyAlgorithm) };

/** The query of the Remote Login URL as the portal makes it. `json`: parameters that are no text. */
export function searchFor({ preset: { authn_request: rule }, golden }: Stage, asks: Parameters): string {
  const texts = Object.fromEntries(Object.entries(asks).map(([name, value]) => [name, String(value)]));
  const query = new URLSearchParams(texts).toString();
  if (rule.encoding === 'query') return query;
  if (rule.encoding === 'discourse_connect') {
    const sso = Buffer.from(query).toString('base64');
    return `sso=${encodeURIComponent(sso)}&sig=${createHmac('sha256', SECRET).update(sso).digest('hex')}`;
  }
  const keyid = rule.kid === undefined ? '' : (golden.settings[rule.kid.slice('{config.'.length, -1)] ?? '');
  const claims = { iat: NOW, exp: NOW + rule.max_lifetime, ...asks };
  return `${rule.jwt_param}=${jsonwebtoken.sign(claims, SECRET, { algorithm: 'HS256', keyid })}`;
}

/** The request of a golden case. Throws `Refusal`. */
export function arrive(stage: Stage, { asks = {}, query, door }: GoldenCase): PortalRequest {
  const { portal } = stage;
  if (door === 'traded') return { portal: portal.portal.name, initiated: 'platform', params: {} };
  const search = query ?? searchFor(stage, asks);
  return door === 'entry'
    ? portal.readEntry(readQuery(search))
    : portal.readRequest(readQuery(search), { search, now: NOW });
}

/** Carries a golden case out, from the request to the delivery. Throws `Refusal`. */
export async function leave(stage: Stage, golden: GoldenCase): Promise<Left> {
  const { portal, preset, algorithm, key } = stage;
  const request = arrive(stage, golden);
  const payload = make(portal, golden, request);
  const signer = await openTokenSigner(preset, at(stage.golden.settings), algorithm, key);
  const token = await signer.sign(payload);
  return { delivery: portal.deliver(request, token), token, payload };
}

function make(portal: OpenPortal, { door, person = {}, granted = [] }: GoldenCase, request: PortalRequest): string {
  const minted = { now: NOW, id: ID };
  if (door === 'guest') return portal.makeGuestClaims?.(request, minted) ?? 'guests are not taken';
  const identity: GrantedIdentity = {
    environment: 'us' as EnvironmentName,
    email: 'ada@acme.test',
    claims: person,
    granted: new Set(granted),
  };
  const makeClaims = door === 'traded' ? portal.makeTradedClaims : portal.makeClaims;
  return makeClaims?.call(portal, identity, request, minted) ?? 'nothing is traded';
}

/** What left, in the words of a golden case. */
export function seen(
  { delivery, token, payload }: Left,
  { preset }: Stage,
): Pick<GoldenCase, 'to' | 'form' | 'header' | 'claims'> {
  const signed = preset.token.format === 'discourse_connect';
  const hide = (text: string) =>
    signed
      ? text
          .replace(encodeURIComponent(splitDiscourseToken(token).sso), 'TOKEN')
          .replace(splitDiscourseToken(token).sig, 'SIGNATURE')
      : text.replace(token, 'TOKEN');
  const travels =
    delivery.mode === 'redirect'
      ? { to: hide(delivery.url) }
      : {
          to: delivery.action,
          form: Object.fromEntries(Object.entries(delivery.fields).map(([name, value]) => [name, hide(value)])),
        };
  if (signed) return { ...travels, claims: Object.fromEntries(new URLSearchParams(payload)) };
  const [header = ''] = token.split('.');
  const { kid, ...rest } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
  // The thumbprint of a key that was made for the test.
  const named = 'header' in preset.token ? { kid } : {};
  return { ...travels, header: { ...rest, ...named }, claims: JSON.parse(payload) };
}
