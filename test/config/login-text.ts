import { generateKeyPairSync } from 'node:crypto';
import { checkText, goodWith, VARIABLES } from './routes-text.ts';
import { selfSigned } from './self-signed.ts';

/** One of each, faultless: the inside of `login: { … }`. */
export const HANDOFF =
  'protocol: handoff, url: "https://eu.acme.com/sso", issuer: eu, algorithms: [HS256], secret: { env: EU }';
export const OIDC = 'protocol: oidc, issuer: "https://id.eu.example", client_id: way, client_secret: { env: EU }';
export const KEYED = 'protocol: oidc, issuer: "https://id.eu.example", client_id: way, private_key: { file: rsa.key }';
export const SAML =
  'protocol: saml, issuer: "urn:eu", sso_url: "https://id.eu.example/sso", certificates: [{ file: idp.crt }]';
export const SESSION =
  'protocol: session, url: "https://eu.acme.com/login", session_url: "https://eu.acme.com/me", cookies: [sid]';
export const ENDPOINTS =
  'authorization: "https://id.eu.example/a", token: "https://id.eu.example/t", jwks: "https://id.eu.example/k"';
/** The inside of `proxy: { … }`. */
export const PROXY = 'host: eu.login.acme.com, upstream: "http://10.0.0.1:8080", paths: [/sso]';

const router = selfSigned();
const idp = selfSigned();
const ec = selfSigned({ pair: generateKeyPairSync('ec', { namedCurve: 'P-256' }) });
const weak = selfSigned({ pair: generateKeyPairSync('rsa', { modulusLength: 1024 }) });
const ed25519 = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const x25519 = generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

/** SAML metadata (SAML Metadata §2.4) with one sign-on address. */
const metadata = (url: string) => `<?xml version="1.0"?>
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:eu">
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
      <X509Certificate>${idp.certificate.replace(/-----[^-]+-----|\n/g, '')}</X509Certificate>
    </X509Data></KeyInfo></KeyDescriptor>
    <SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${url}/out"/>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${url}/sso"/>
  </IDPSSODescriptor>
</EntityDescriptor>
`;

export const FILES: Readonly<Record<string, string>> = {
  'rsa.key': router.key,
  'rsa.crt': router.certificate,
  'idp.crt': idp.certificate,
  'idp.key': idp.key,
  'chain.crt': router.certificate + idp.certificate,
  'both.pem': router.key + router.certificate,
  'ec.key': ec.key,
  'ec.crt': ec.certificate,
  'weak.key': weak.key,
  'weak.crt': weak.certificate,
  'old.crt': selfSigned({ to: '20240101000000Z' }).certificate,
  'early.crt': selfSigned({ from: '20900101000000Z' }).certificate,
  'ed25519.key': ed25519,
  'x25519.key': x25519,
  'not.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  'two-lines.secret': 'one\ntwo\n',
  'idp.xml': metadata('https://id.eu.example'),
  'http.xml': metadata('http://id.eu.example'),
  'not.xml': '<html/>',
};

/** The good file with another `eu`; `rest` are further keys of it, in lines. */
export const withEu = (login: string, rest = '', ...changes: readonly (readonly [string, string])[]): string =>
  goodWith(
    [
      `    login:
      protocol: handoff
      url: https://eu.acme.com/sso
      issuer: https://eu.acme.com/
      algorithms: [HS256]
      secret: { env: EU }
`,
      `    login: { ${login} }\n${rest === '' ? '' : `    ${rest}\n`}`,
    ],
    ...changes,
  );

/** In 2026. */
export const NOW = 1_790_000_000;

export const checkEu = (login: string, rest?: string, ...changes: readonly (readonly [string, string])[]) =>
  checkText(withEu(login, rest, ...changes), { files: { ...FILES }, now: NOW });

/** What must never be repeated. */
export const HIDDEN: readonly string[] = [
  ...Object.values(VARIABLES),
  ...Object.entries(FILES).flatMap(([name, text]) => (name.endsWith('.key') ? [text.slice(40, 100)] : [])),
];
