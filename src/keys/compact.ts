/**
 * The strict shape of a signed token, judged before any cryptography: what passes here is read the same way by
 * every library. It owns the JWS Compact Serialization (RFC 7515 §7.1) and the header's allow-list; it leaves
 * `alg` and the signature to a `Verifier`, and what the claims mean to the protocols. Encrypted tokens
 * (RFC 7516) are not read at all.
 */
import { isUtf8 } from 'node:buffer';
import { Refusal } from '../core/reason.ts';
import { parseStrictObject } from './strict-json.ts';

/** A token whose shape was checked and whose signature was not. */
export type CompactToken = {
  readonly text: string;
  /** `typ` where it is another than JWT, in lower case. */
  readonly header: { readonly alg: string; readonly kid?: string; readonly typ?: string };
  /** The payload. A name may be any text, `__proto__` included, so look up foreign names with `Object.hasOwn`. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** ASCII: what the signature is over (RFC 7515 §5.1). */
  readonly signingInput: string;
  readonly signature: Buffer;
};

/** `typ` of a token that is of no kind of its own (RFC 7519 §5.1). */
const PLAIN = 'jwt';

/** Bytes of a whole token. */
const MAX_LENGTH = 16 * 1024;

const KID_PATTERN = /^[A-Za-z0-9._~+=:@-]{1,200}$/;
/** Some large providers name their keys by 32 bytes in plain base64, where a slash is a digit. */
const KID_OF_DIGEST = /^[A-Za-z0-9+/]{43}=$/;

/**
 * Text → token, where it is a canonical compact JWS with a plain header: base64url without padding, line ends or
 * spare bits, UTF-8, one JSON object each, no name twice. `types`: what `typ` may be where it is there, in lower case.
 * Throws `Refusal` (`jwt_malformed`, `jwt_header_not_allowed`) and nothing else.
 */
export function readCompact(text: string, types: readonly string[] = [PLAIN]): CompactToken {
  if (text.length > MAX_LENGTH) throw malformed('longer than 16 KiB');
  const first = text.indexOf('.');
  const second = text.indexOf('.', first + 1);
  if (first < 0 || second < 0 || text.includes('.', second + 1)) throw malformed('not three parts');
  const header = readHeader(readObject(text.slice(0, first), 'header'), types);
  return {
    text,
    header,
    claims: readObject(text.slice(first + 1, second), 'payload'),
    signingInput: text.slice(0, second),
    signature: decode(text.slice(second + 1), 'signature'),
  };
}

function readObject(part: string, which: string): Readonly<Record<string, unknown>> {
  const bytes = decode(part, which);
  if (!isUtf8(bytes)) throw malformed(`${which}: not UTF-8`);
  const object = parseStrictObject(bytes.toString('utf8'));
  if (typeof object === 'string') throw malformed(`${which}: ${object}`);
  return object;
}

/** Node's decoder forgives; encoding again tells what it forgave. */
function decode(part: string, which: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (part === '' || bytes.toString('base64url') !== part)
    throw malformed(`${which}: empty or not canonical base64url`);
  return bytes;
}

/**
 * An allow-list (RFC 8725 §3.10, §3.12): members that fetch or embed keys (`jku`, `jwk`, `x5u`, `x5c`), change
 * processing (`crit`, `b64`, `zip`, `enc`, `p2c`) or are unknown refuse the token. `kid` is a name and never a
 * path or an address, `typ` is one of `types` in any case (RFC 7519 §5.1) or absent.
 */
function readHeader(header: Readonly<Record<string, unknown>>, types: readonly string[]): CompactToken['header'] {
  for (const name of Object.keys(header)) {
    if (!isAllowed(name, header[name], types)) throw new Refusal('jwt_header_not_allowed', nameForLog(name));
  }
  const { alg, kid, typ } = header as { alg?: string; kid?: string; typ?: string };
  if (alg === undefined) throw new Refusal('jwt_header_not_allowed', 'alg is absent');
  const another = typ === undefined || typ.toLowerCase() === PLAIN ? undefined : typ.toLowerCase();
  return { alg, ...(kid !== undefined && { kid }), ...(another !== undefined && { typ: another }) };
}

function isAllowed(name: string, value: unknown, types: readonly string[]): boolean {
  if (typeof value !== 'string') return false;
  switch (name) {
    case 'alg':
    case 'x5t':
    case 'x5t#S256':
      return true;
    case 'typ':
      return types.includes(value.toLowerCase());
    case 'kid':
      return (KID_PATTERN.test(value) && !value.includes('..')) || KID_OF_DIGEST.test(value);
    default:
      return false;
  }
}

const nameForLog = (name: string): string => (/^[A-Za-z0-9_#-]{1,32}$/.test(name) ? name : 'a member with an odd name');

const malformed = (detail: string): Refusal => new Refusal('jwt_malformed', detail);
