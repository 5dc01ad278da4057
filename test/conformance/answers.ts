/** Garbage of the kinds that an attacker would try first. */
import fc from 'fast-check';
import type { Answer } from '../../src/protocols/delegate.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const jwt = fc
  .tuple(fc.constantFrom('none', 'HS256', 'RS256', 'ES256'), fc.json({ maxDepth: 1 }))
  .map(([alg, body]) => `${base64(JSON.stringify({ alg }))}.${base64(body)}.${alg === 'none' ? '' : 'AAAA'}`);
const xml = fc
  .string()
  .map((text) => `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">${text}</samlp:Response>`);
/** Whatever a parameter could hold: nothing of it is signed. */
export const values = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string().map(base64),
  fc.webUrl(),
  fc.json(),
  jwt,
  xml.map(base64),
  fc.constantFrom('', 'access_denied', 'login_required', '__proto__', 'eyJ', 'a'.repeat(20_000)),
);
const names = fc.oneof(
  fc.constantFrom('access_token', 'code', 'id_token', 'iss', 'state', 'error', 'error_description', 'nonce'),
  fc.constantFrom('SAMLResponse', 'SAMLRequest', 'RelayState', 'SigAlg', 'Signature', 'email', 'jwt', '__proto__'),
  fc.string(),
);
/** Whatever a browser could bring to a return address. */
export const answers: fc.Arbitrary<Answer> = fc
  .array(fc.tuple(names, values), { maxLength: 6 })
  .map((pairs): Answer => new Map(pairs));
