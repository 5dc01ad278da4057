import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Software of other people that some tests run against. */
export type Counterpart = {
  readonly name: string;
  /** What is left out without it. */
  readonly shows: string;
  /** How to get it on Debian. */
  readonly install: string;
  readonly present: () => boolean;
};

const runs = (command: string, args: readonly string[]): boolean => {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';
export const RUBY = process.env.RUBY ?? '/usr/bin/ruby';
export const PHP = process.env.PHP ?? '/usr/bin/php';
export const GO = process.env.GO ?? '/usr/bin/go';
/** Where Debian keeps golang-jwt: version 4 of it, without its `v4`. */
export const GOLANG_JWT = '/usr/share/gocode/src/github.com/golang-jwt/jwt';

/** Where Debian keeps SimpleSAMLphp. */
export const SIMPLESAML = process.env.SIMPLESAML ?? '/usr/share/simplesamlphp';

export const APACHE = process.env.APACHE ?? '/usr/sbin/apache2';
export const REDIS_SERVER = process.env.REDIS_SERVER ?? '/usr/bin/redis-server';
export const REDIS_CLI = process.env.REDIS_CLI ?? '/usr/bin/redis-cli';
/** Where Debian keeps Apache's modules. */
export const APACHE_MODULES = '/usr/lib/apache2/modules';

export const counterparts = {
  chromium: {
    name: 'Chromium',
    shows: 'the journeys and pages in a browser (test/browser)',
    install: 'apt-get install chromium',
    present: () => existsSync(CHROMIUM),
  },
  pyjwt: {
    name: 'PyJWT',
    shows: 'portal tokens verified by PyJWT (test/conformance)',
    install: 'apt-get install python3-jwt python3-cryptography',
    present: () => runs(PYTHON, ['-c', 'import jwt, cryptography']),
  },
  rubyJwt: {
    name: 'ruby-jwt',
    shows: 'portal tokens verified by ruby-jwt (test/conformance)',
    install: 'apt-get install ruby ruby-jwt',
    present: () => runs(RUBY, ['-e', 'require "jwt"']),
  },
  webrick: {
    name: 'ruby-jwt and WEBrick',
    shows: 'the handoff example in Ruby (test/examples)',
    install: 'apt-get install ruby ruby-jwt ruby-webrick',
    present: () => runs(RUBY, ['-e', 'require "jwt"; require "webrick"']),
  },
  php: {
    name: 'PHP',
    shows: 'the handoff example in PHP (test/examples)',
    install: 'apt-get install php-cli',
    present: () => runs(PHP, ['-v']),
  },
  golangJwt: {
    name: 'golang-jwt',
    shows: 'the handoff example in Go (test/examples)',
    install: 'apt-get install golang-go golang-github-golang-jwt-jwt-dev',
    present: () => existsSync(GOLANG_JWT) && runs(GO, ['version']),
  },
  simpleSaml: {
    name: 'SimpleSAMLphp',
    shows: 'logins and logouts at a real SAML identity provider (test/protocols)',
    install: 'apt-get install simplesamlphp php-cli php-xml php-mbstring php-curl',
    present: () =>
      existsSync(`${SIMPLESAML}/lib/_autoload.php`) &&
      runs(PHP, ['-r', 'extension_loaded("dom") && extension_loaded("mbstring") || exit(1);']),
  },
  modAuthOpenidc: {
    name: 'Apache with mod_auth_openidc',
    shows: 'sign-ins and sign-outs of a real OpenID relying party (test/conformance)',
    install: 'apt-get install apache2 libapache2-mod-auth-openidc',
    present: () => existsSync(APACHE) && existsSync(`${APACHE_MODULES}/mod_auth_openidc.so`),
  },
  redis: {
    name: 'redis-server',
    shows: 'the Redis store: one server, a Cluster, a Sentinel, and what happens when they fail (test/store)',
    install: 'apt-get install redis-server',
    present: () => runs(REDIS_SERVER, ['--version']) && runs(REDIS_CLI, ['--version']),
  },
  namespaces: {
    name: 'permission to make network namespaces, or iproute2,',
    shows: 'an environment that only the router can reach (test/browser)',
    install: 'apt-get install iproute2; root, or CAP_NET_ADMIN and CAP_SYS_ADMIN',
    present: makesNamespaces,
  },
} as const satisfies Record<string, Counterpart>;

function makesNamespaces(): boolean {
  const name = `wayhome-probe-${process.pid}`;
  return runs('ip', ['netns', 'add', name]) && runs('ip', ['netns', 'delete', name]);
}

/** tap's `skip` for a test that needs one: `false` when it is there. */
export const without = (counterpart: Counterpart): string | false =>
  counterpart.present() ? false : `${counterpart.name} is not installed (${counterpart.install})`;
