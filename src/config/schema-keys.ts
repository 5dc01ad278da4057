import type { z } from 'zod';
import type { Path } from './problem.ts';

export type AnySchema = z.ZodType;

/** `secret`: not even a key of this mapping may be repeated. */
export type Keys = { readonly known: readonly string[]; readonly secret: boolean };

type Def = {
  readonly type: string;
  readonly shape?: Readonly<Record<string, AnySchema>>;
  readonly valueType?: AnySchema;
  readonly element?: AnySchema;
  readonly innerType?: AnySchema;
  readonly options?: readonly AnySchema[];
  readonly discriminator?: string;
  readonly getter?: () => AnySchema;
  readonly out?: AnySchema;
};

const defOf = (schema: AnySchema): Def => schema._zod.def as unknown as Def;

/**
 * The keys that a schema knows for the mapping at a path of a tree: zod's issue names the unknown key only.
 * Where several shapes are possible, those that the mapping's own fixed words (`protocol: handoff`) allow.
 */
export function keysAt(
  schema: AnySchema,
  path: Path,
  tree: unknown,
  secrets: { has(schema: AnySchema): boolean },
): Keys {
  let candidates = shapes(schema, tree);
  let value = tree;
  for (const part of path) {
    value = (value as Record<string | number, unknown> | null | undefined)?.[part];
    candidates = candidates.flatMap((candidate) => {
      const def = defOf(candidate);
      const child = def.shape && Object.hasOwn(def.shape, part) ? def.shape[part] : (def.valueType ?? def.element);
      return child ? shapes(child, value) : [];
    });
  }
  const known = new Set(candidates.flatMap((candidate) => Object.keys(defOf(candidate).shape ?? {})));
  return { known: [...known], secret: candidates.some((candidate) => secrets.has(candidate)) };
}

/** A schema without its wrappers; a union becomes those of its members that this value may mean. */
function shapes(schema: AnySchema, value: unknown): AnySchema[] {
  const def = defOf(schema);
  if (def.innerType) return shapes(def.innerType, value);
  if (def.getter) return shapes(def.getter(), value);
  if (def.out) return shapes(def.out, value);
  if (!def.options) return [schema];
  const options = def.options.filter((option) => mayMean(option, value, def.discriminator));
  return options.flatMap((option) => shapes(option, value));
}

function mayMean(option: AnySchema, value: unknown, discriminator: string | undefined): boolean {
  if (Array.isArray(value)) return defOf(option).type === 'array';
  const fixed = discriminator === undefined ? undefined : option._zod.propValues?.[discriminator];
  return !fixed || fixed.has((value as Readonly<Record<string, z.core.util.Primitive>> | null)?.[discriminator ?? '']);
}
