import type { Path } from './problem.ts';

type Values = string | readonly (string | undefined)[];

/** The forms that a condition may have: a text, a list, or either below `in`. */
export type RuleValues = Values | { readonly in?: Values | undefined };

/** The single values of a condition, each with its place. */
export function valuesOf(
  values: RuleValues | undefined,
  path: Path,
): { readonly path: Path; readonly value: string }[] {
  if (values === undefined) return [];
  if (typeof values === 'string') return [{ path, value: values }];
  if (isList(values))
    return values.flatMap((value, index) => (value === undefined ? [] : [{ path: [...path, index], value }]));
  return valuesOf(values.in, [...path, 'in']);
}

// Array.isArray does not narrow read-only arrays.
const isList = (values: RuleValues): values is readonly (string | undefined)[] => Array.isArray(values);

type Nesting = {
  readonly any?: readonly (Nesting | undefined)[] | undefined;
  readonly all?: readonly (Nesting | undefined)[] | undefined;
  readonly not?: Nesting | undefined;
};

/** A condition and every condition inside it, each with its place. */
export function conditionsIn<When extends Nesting>(
  when: When | undefined,
  path: Path,
): { readonly path: Path; readonly when: When }[] {
  if (when === undefined) return [];
  const listed = (['any', 'all'] as const).flatMap((key) =>
    (when[key] ?? []).map((nested, index) => ({ nested, at: [...path, key, index] })),
  );
  return [
    { path, when },
    ...[...listed, { nested: when.not, at: [...path, 'not'] }].flatMap(({ nested, at }) =>
      conditionsIn(nested as When | undefined, at),
    ),
  ];
}
