import { parseArgs } from 'node:util';
import { parseInstant } from '../core/time.ts';
import type { When } from '../keys/signing-keys.ts';

const VERBS = ['list', 'make', 'stage', 'switch', 'retire'] as const;

export type KeysAsked = {
  readonly verb: (typeof VERBS)[number];
  readonly file: string;
  /** Absent for all of them. */
  readonly of?: { readonly kind: 'portal' | 'environment'; readonly name: string };
  readonly when: When;
  readonly kid?: string;
  readonly json: boolean;
};

/** The words after `wayhome keys`; text says what is wrong with them. */
export function readKeysArguments(args: readonly string[]): KeysAsked | 'help' | { readonly wrong: string } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        portal: { type: 'string' },
        environment: { type: 'string' },
        at: { type: 'string' },
        'at-once': { type: 'boolean', default: false },
        key: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return 'help';
    const [word, file = './routes.yaml', ...more] = positionals;
    const verb = VERBS.find((known) => known === word);
    const { portal, environment, at, 'at-once': atOnce, key: kid, json } = values;
    if (!verb)
      return { wrong: word === undefined ? 'say what is to be done' : `there is no keys ${JSON.stringify(word)}` };
    if (more.length > 0) return { wrong: 'one routes file at a time' };
    if (portal !== undefined && environment !== undefined) return { wrong: 'name one portal or one environment' };
    const of = ofWhom(portal, environment);
    if (verb !== 'list' && !of) return { wrong: '--portal is missing' };
    if ((at !== undefined || atOnce) && verb !== 'switch' && verb !== 'retire')
      return { wrong: `keys ${verb} acts now; --at and --at-once are for switch and retire` };
    if (kid !== undefined && verb !== 'retire') return { wrong: '--key is for retire' };
    const when = whenOf(at, atOnce);
    if (when === undefined) return { wrong: '--at takes a time with its zone (2026-12-01T10:00Z), and no --at-once' };
    return { verb, file, when, json, ...(of && { of }), ...(kid !== undefined && { kid }) };
  } catch (error) {
    return { wrong: (error as Error).message };
  }
}

function ofWhom(portal: string | undefined, environment: string | undefined): KeysAsked['of'] {
  if (portal !== undefined) return { kind: 'portal', name: portal };
  return environment === undefined ? undefined : { kind: 'environment', name: environment };
}

function whenOf(at: string | undefined, atOnce: boolean): When | undefined {
  if (at === undefined) return atOnce ? 'at_once' : 'earliest';
  return atOnce ? undefined : parseInstant(at);
}
