import { open } from 'node:fs/promises';
import type { CheckedRoutes } from '../config/checked.ts';
import { readRecorded } from '../store/open.ts';

/** The recorded decisions cannot be had; the message is for people. */
export class NoDecisions extends Error {
  override name = 'NoDecisions';
}

/** One line each, oldest first: out of a file, or out of the store that the routes name. Throws `NoDecisions`. */
export async function* readDecisionLines(routes: CheckedRoutes, file?: string): AsyncGenerator<string> {
  const from = file ?? routes.store;
  let none = true;
  try {
    for await (const line of file === undefined ? readRecorded(routes.store, routes.redis) : linesOf(file)) {
      if (line === '') continue;
      none = false;
      yield line;
    }
  } catch (error) {
    throw new NoDecisions(`${from} cannot be read: ${(error as Error).message}`);
  }
  if (none) throw new NoDecisions(`${from} holds no recorded decisions. ${remedy(routes, file)}`);
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const handle = await open(file);
  try {
    yield* handle.readLines();
  } finally {
    await handle.close();
  }
}

function remedy({ file, store, record }: CheckedRoutes, given: string | undefined): string {
  if (given !== undefined) return 'Make such a file with: wayhome diff --export old.yaml';
  if (!record) return `Write record: { keep: 50000 } in ${file}, and let people log in.`;
  if (store === 'memory:') return 'A store in memory is nobody else’s to read; use sqlite:<path> or Redis.';
  return 'Let people log in first.';
}
