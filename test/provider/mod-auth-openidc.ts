/**
 * Apache with mod_auth_openidc (Debian's packages) on loopback: a relying party of somebody else's making.
 *
 *   const apache = await openApache(t, { port, issuer, clientId, clientSecret, hint });
 *   apache.origin            // below /secure/ everybody has to sign in
 *   apache.callback          // redirect_uri; with ?logout=…, ?info=json and ?refresh=… what its documentation says
 *
 * It reads the provider's metadata when it is first asked. It ends with the test. Skip the test where it is not
 * installed: `{ skip: without(counterparts.modAuthOpenidc) }`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { APACHE, APACHE_MODULES } from '../support/counterparts.ts';

export type ApacheOptions = {
  readonly port: number;
  /** With its slash. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** What it adds to its authorization requests. */
  readonly hint: string;
};

export type Apache = {
  readonly origin: string;
  readonly callback: string;
};

/** Tries of 50 ms each until it listens. */
const PATIENCE = 200;

export const apacheCallback = (port: number): string => `http://127.0.0.1:${port}/secure/callback`;

/** A page that is there for everybody. */
export const apacheGone = (port: number): string => `http://127.0.0.1:${port}/gone`;

export async function openApache(
  t: { teardown(work: () => unknown): unknown },
  options: ApacheOptions,
): Promise<Apache> {
  const folder = mkdtempSync(join(tmpdir(), 'wayhome-apache-'));
  // Its workers are somebody else where it is started as root.
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'pages/secure'), { recursive: true });
  writeFileSync(join(folder, 'pages/secure/index.html'), 'Hello\n');
  writeFileSync(join(folder, 'pages/gone'), 'Gone\n');
  const file = join(folder, 'apache.conf');
  writeFileSync(file, configuration(folder, options));
  const server = spawn(APACHE, ['-f', file, '-D', 'FOREGROUND'], { stdio: 'ignore', detached: true });
  t.teardown(async () => {
    await stop(server);
    rmSync(folder, { recursive: true, force: true });
  });
  const log = () => readFileSync(join(folder, 'error.log'), 'utf8');
  for (let tries = 0; !(await listens(options.port)); tries++) {
    if (tries === PATIENCE || server.exitCode !== null) throw new Error(`Apache did not start: ${log()}`);
    await pause(50);
  }
  return { origin: `http://127.0.0.1:${options.port}`, callback: apacheCallback(options.port) };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** With its workers: they are of its process group. */
async function stop(server: ChildProcess): Promise<void> {
  const { pid, exitCode } = server;
  if (pid === undefined || exitCode !== null) return;
  const gone = once(server, 'exit');
  process.kill(-pid, 'SIGTERM');
  await gone;
}

const MODULES = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'dir', 'headers', 'auth_openidc'];

const configuration = (folder: string, { port, issuer, clientId, clientSecret, hint }: ApacheOptions): string => `
ServerRoot ${folder}
ServerName 127.0.0.1
PidFile ${folder}/apache.pid
DefaultRuntimeDir ${folder}
ErrorLog ${folder}/error.log
LogLevel warn auth_openidc:info
Listen 127.0.0.1:${port}
${MODULES.map((name) => `LoadModule ${name}_module ${APACHE_MODULES}/mod_${name}.so`).join('\n')}
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
StartServers 1
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8
DocumentRoot ${folder}/pages
OIDCProviderMetadataURL ${issuer}.well-known/openid-configuration
OIDCClientID ${clientId}
OIDCClientSecret ${clientSecret}
OIDCRedirectURI ${apacheCallback(port)}
OIDCCryptoPassphrase a-passphrase-of-a-test-0123456789
OIDCScope "openid email profile offline_access"
OIDCPKCEMethod S256
OIDCAuthRequestParams ${hint}
OIDCRemoteUserClaim email
OIDCIDTokenSignedResponseAlg RS256
OIDCRedirectURLsAllowed ^http://127\\.0\\.0\\.1:${port}/
OIDCInfoHook userinfo id_token access_token refresh_token
OIDCSessionInactivityTimeout 3600
<Location /secure/>
  AuthType openid-connect
  Require valid-user
  OIDCUnAuthAction auth true
  Header set X-Person "expr=%{REMOTE_USER}"
</Location>
`;
