#!/usr/bin/env node
/** `wayhome <command> …`: exit 0 ok, 1 the answer is no, 2 usage. */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Io } from './io.ts';

// Compiled code is kept beside the packages, where nobody else can write; where we cannot either, it is not kept.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/wayhome', import.meta.url)));
type Command = (args: readonly string[], io: Io) => Promise<number>;

// A command is loaded when it is called: `serve` needs none of the others.
const COMMANDS: Readonly<Record<string, { readonly says: string; readonly load: () => Promise<Command> }>> = {
  serve: { says: 'serve [routes.yaml]           take logins', load: async () => (await import('./serve.ts')).serve },
  check: {
    says: 'check [routes.yaml] [--json]  every fault of the file; opens no socket',
    load: async () => (await import('./check.ts')).check,
  },
  explain: {
    says: 'explain <url> [--json] …      which environment a login would go to, and why',
    load: async () => (await import('./explain.ts')).explain,
  },
  diff: {
    says: 'diff old.yaml new.yaml        which recorded logins would move',
    load: async () => (await import('./diff.ts')).diff,
  },
  keys: {
    says: 'keys list|make|stage|switch|retire …  the signing keys that the router keeps',
    load: async () => (await import('./keys.ts')).keys,
  },
  logouts: {
    says: 'logouts list|show|resend|drain|end …  who was told that somebody signed out; ends visits',
    load: async () => (await import('./logouts.ts')).logouts,
  },
  demo: {
    says: 'demo [--check [--json]]       a router with portals and environments on this machine',
    load: async () => (await import('./demo.ts')).demo,
  },
};

const USAGE = `usage: wayhome <command>\n\n${Object.values(COMMANDS)
  .map(({ says }) => `  ${says}`)
  .join('\n')}\n`;

async function main(argv: readonly string[], io: Io): Promise<number> {
  const [name = '', ...args] = argv;
  if (name === '--help' || name === 'help') {
    io.stdout.write(USAGE);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    io.stderr.write(name === '' ? USAGE : `wayhome: there is no command ${JSON.stringify(name)}\n\n${USAGE}`);
    return 2;
  }
  return (await command.load())(args, io);
}

process.exitCode = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
});
