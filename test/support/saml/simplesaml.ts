/**
 * A real SAML identity provider (SimpleSAMLphp, Debian's package under PHP's own web server) on loopback.
 *
 *   const idp = await openSimpleSaml(t, { accounts: { ada: { mail: 'ada@globex.test' } }, encrypt: true });
 *   idp.origin                  // http://127.0.0.1:<port>
 *   await idp.metadata()        // its metadata (XML), for parseIdpMetadata or routes.yaml
 *   idp.register(xml)           // takes a service provider's metadata, at any time; the last with its entity ID wins
 *
 * Its login page has the fields `username` (the name of an account) and `password` (`secret`) and works in a browser,
 * too. Responses and assertions are signed (rsa-sha256), requests have to be. It ends with the test. Skip the test where
 * it is not installed: `{ skip: without(counterparts.simpleSaml) }`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from '../../config/self-signed.ts';
import { PHP, SIMPLESAML } from '../counterparts.ts';

export type SimpleSamlOptions = {
  /** Attributes of the people who may sign in, by user name. */
  readonly accounts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Whether assertions are encrypted to the service provider's key. */
  readonly encrypt?: boolean;
};

export type SimpleSaml = {
  readonly origin: string;
  metadata(): Promise<string>;
  register(serviceProvider: string): void;
};

/** Of everybody. */
export const PASSWORD = 'secret';

type Ends = { teardown(end: () => unknown): unknown };

export async function openSimpleSaml(t: Ends, options: SimpleSamlOptions): Promise<SimpleSaml> {
  const folder = mkdtempSync(join(tmpdir(), 'wayhome-saml-'));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  writeInstallation(folder, origin, options);
  const server = spawn(PHP, ['-S', `127.0.0.1:${port}`, '-t', join(SIMPLESAML, 'www')], {
    env: { PATH: process.env.PATH, SIMPLESAMLPHP_CONFIG_DIR: join(folder, 'config'), PHP_CLI_SERVER_WORKERS: '2' },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let registered = 0;
  t.teardown(async () => {
    await stop(server);
    rmSync(folder, { recursive: true, force: true });
  });
  await started(server);

  return {
    origin,
    async metadata() {
      const answer = await fetch(`${origin}/saml2/idp/metadata.php`);
      const text = await answer.text();
      if (!answer.ok) throw new Error(`SimpleSAMLphp answered ${answer.status}: ${text.slice(0, 2_000)}`);
      return text;
    },
    register(serviceProvider) {
      registered += 1;
      writeFileSync(join(folder, 'providers', `${String(1_000 - registered)}.xml`), serviceProvider);
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** With its workers: they are of its process group. */
async function stop(server: ChildProcess): Promise<void> {
  const { pid, exitCode } = server;
  if (pid === undefined || exitCode !== null) return;
  const gone = once(server, 'exit');
  process.kill(-pid, 'SIGKILL');
  await gone;
}

async function started({ stderr }: ChildProcess): Promise<void> {
  let said = '';
  for await (const chunk of stderr ?? []) {
    said += chunk;
    if (said.includes('started')) {
      stderr?.resume();
      return;
    }
  }
  throw new Error(`php -S did not start: ${said}`);
}

function writeInstallation(folder: string, origin: string, { accounts, encrypt = false }: SimpleSamlOptions): void {
  for (const name of ['config', 'metadata', 'providers', 'cert', 'data', 'sessions']) mkdirSync(join(folder, name));
  const write = (path: string, text: string) => writeFileSync(join(folder, path), text);
  const { key, certificate } = selfSigned();
  write('cert/idp.key', key);
  write('cert/idp.crt', certificate);
  write('metadata/saml20-idp-hosted.php', hosted(encrypt));
  write('config/config.php', config(folder, origin));
  const users = Object.entries(accounts).map(
    ([name, attributes]) => `${quote(`${name}:${PASSWORD}`)} => ${array(attributes)}`,
  );
  write('config/authsources.php', `<?php $config = ['people' => ['exampleauth:UserPass', ${users.join(', ')}]];`);
}

const hosted = (encrypt: boolean): string => `<?php $metadata['__DYNAMIC:1__'] = [
  'host' => '__DEFAULT__',
  'privatekey' => 'idp.key',
  'certificate' => 'idp.crt',
  'auth' => 'people',
  'SingleSignOnServiceBinding' => ['urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'],
  'SingleLogoutServiceBinding' => ['urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'],
  'validate.authnrequest' => true,
  'redirect.sign' => true,
  'redirect.validate' => true,
  'saml20.sign.response' => true,
  'saml20.sign.assertion' => true,
  'assertion.encryption' => ${encrypt},
];`;

const config = (folder: string, origin: string): string => `<?php $config = [
  'baseurlpath' => ${quote(`${origin}/`)},
  'certdir' => ${quote(`${folder}/cert/`)},
  'loggingdir' => ${quote(`${folder}/data/`)},
  'datadir' => ${quote(`${folder}/data/`)},
  'tempdir' => ${quote(`${folder}/data/`)},
  'metadatadir' => ${quote(`${folder}/metadata/`)},
  'metadata.sources' => array_merge(
    [['type' => 'flatfile']],
    array_map(function ($file) { return ['type' => 'xml', 'file' => $file]; }, glob(${quote(`${folder}/providers/*.xml`)}))
  ),
  'timezone' => 'UTC',
  'secretsalt' => 'only for tests',
  'auth.adminpassword' => 'only for tests',
  'logging.handler' => 'file',
  'showerrors' => true,
  'errorreporting' => false,
  'enable.saml20-idp' => true,
  'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
  'store.type' => 'phpsession',
  'session.phpsession.savepath' => ${quote(`${folder}/sessions`)},
  'session.cookie.secure' => false,
  'language.default' => 'en',
  'theme.use' => 'default',
  'production' => true,
];`;

const quote = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;
const array = (attributes: Readonly<Record<string, string>>): string =>
  `[${Object.entries(attributes).map(([name, value]) => `${quote(name)} => [${quote(value)}]`)}]`;
