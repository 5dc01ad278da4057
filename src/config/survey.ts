import type { Path, Report } from './problem.ts';
import type { EnvironmentDraft, PortalDraft, RoutesDraft } from './schema.ts';

/** What every rule looks at: the parts of the file that fit the schema, and where to report. */
export type Survey = {
  readonly draft: RoutesDraft;
  readonly report: Report;
  /** All that the file names, those with faults included: a reference to them is no second fault. */
  readonly names: { readonly portals: readonly string[]; readonly environments: readonly string[] };
  /** `insecure_development: true`. */
  readonly insecure: boolean;
};

type Named<Entry> = { readonly name: string; readonly path: Path; readonly entry: Entry };

/** The portals that can be looked at, in the order of the file. */
export const portalsOf = ({ draft }: Pick<Survey, 'draft'>): Named<PortalDraft>[] => named('portals', draft.portals);

/** The environments that can be looked at, in the order of the file. */
export const environmentsOf = ({ draft }: Pick<Survey, 'draft'>): Named<EnvironmentDraft>[] =>
  named('environments', draft.environments);

/** Every rule asks, and there may be ten thousand. */
const known = new WeakMap<object, Named<never>[]>();

function named<Entry>(section: string, entries: Readonly<Record<string, Entry | undefined>> = {}): Named<Entry>[] {
  const before = known.get(entries);
  if (before) return before;
  const found: Named<Entry>[] = [];
  for (const [name, entry] of Object.entries(entries)) if (entry) found.push({ name, path: [section, name], entry });
  known.set(entries, found as Named<never>[]);
  return found;
}
