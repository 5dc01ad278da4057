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
} as const satisfies Record<string, Counterpart>;

/** tap's `skip` for a test that needs one: `false` when it is there. */
export const without = (counterpart: Counterpart): string | false =>
  counterpart.present() ? false : `${counterpart.name} is not installed (${counterpart.install})`;
