/**
 * What a browser carries between the parties, for comparing it with what the router's log may say: addresses, forms
 * and cookies hold the states, codes and tokens of a login, and the log holds none of them (case 39).
 */
import type { BrowserContext, Request } from 'playwright-core';
import { leaksOf } from '../support/leaks.ts';

export type Overheard = {
  /** Claims of the tokens that reached an address that begins so, in order; nobody has verified them. */
  tokensAt(address: string): Record<string, unknown>[];
  /** Addresses that the tab went to, without their queries. */
  visited(): string[];
  /** Every address, without its query, that a request of any kind went to and that begins so. */
  requestsTo(address: string): string[];
  /** What of all this, and of the configured secrets, stands in a log; nothing, when all is well. */
  foundIn(log: readonly string[], variables: Readonly<Record<string, string>>): Promise<string[]>;
};

/** Shorter texts would be found by chance; a reference has ten characters and belongs into the log. */
const SHORTEST = 16;

/** Listens to all tabs of a browser from now on. */
export function overhear(context: BrowserContext): Overheard {
  const requests: Request[] = [];
  context.on('request', (request) => requests.push(request));
  const addressOf = (request: Request): string => request.url().split('?', 1)[0] ?? '';

  return {
    tokensAt: (address) =>
      requests
        .filter((request) => request.url().startsWith(address))
        .flatMap(carriedBy)
        .filter((value) => /^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+$/.test(value))
        .map(claimsOf),
    visited: () => requests.filter((request) => request.isNavigationRequest()).map(addressOf),
    requestsTo: (address) => requests.map(addressOf).filter((url) => url.startsWith(address)),
    async foundIn(log, variables) {
      const cookies = (await context.cookies()).map(({ value }) => value);
      const text = log.join('\n');
      const carried = new Set([...requests.flatMap(carriedBy), ...cookies]);
      const found = [...carried].filter((value) => isTelling(value) && text.includes(value));
      return [...leaksOf({ lines: [...log], exchanges: [], variables }), ...found];
    },
  };
}

/** Values of the query and of the posted form; of an address among them, those of its own query. */
function carriedBy(request: Request): string[] {
  const posted = request.headers()['content-type']?.startsWith('application/x-www-form-urlencoded');
  const form = posted ? new URLSearchParams(request.postData() ?? '') : [];
  return [...new URL(request.url()).searchParams, ...form].flatMap(([, value]) => valuesOf(value));
}

const valuesOf = (value: string): string[] =>
  /^https?:/.test(value) && URL.canParse(value)
    ? [...new URL(value).searchParams].flatMap(([, inner]) => valuesOf(inner))
    : [value];

const isTelling = (value: string): boolean => value.length >= SHORTEST || /^\S+@\S+$/.test(value);

/** What these events of a log say, as far as journeys are compared by it: event, environment, reason. */
export const eventsOf = (log: readonly string[], ...names: readonly string[]): unknown[][] =>
  log
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ event }) => names.includes(String(event)))
    .map(({ event, environment, reason }) => [event, environment, reason]);

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
