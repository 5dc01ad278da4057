import { z } from 'zod';
import { isMapping, type Mapping } from './mapping.ts';

/** A mapping with more entries than this is judged entry by entry. */
const MANY = 100;

/**
 * All that does not fit a schema, as `safeParse` says it. What zod makes of a tree is a copy of it, which nobody here
 * needs: with ten thousand environments it would be held as a whole, so the entries of long mappings are given to zod
 * one at a time.
 */
export function schemaIssues(schema: z.ZodType, tree: unknown): readonly z.core.$ZodIssue[] {
  const long = isMapping(tree) && schema instanceof z.ZodObject ? longMappings(schema, tree) : [];
  const rest: unknown = long.length === 0 ? tree : { ...(tree as Mapping), ...Object.fromEntries(long.map(shortened)) };
  const issues = [...(schema.safeParse(rest).error?.issues ?? [])];
  for (const { key, others, record } of long) {
    for (const [name, entry] of others) {
      if (record.keyType.safeParse(name).success && record.valueType.safeParse(entry).success) continue;
      for (const issue of record.safeParse({ [name]: entry }).error?.issues ?? []) {
        issues.push({ ...issue, path: [key, ...issue.path] });
      }
    }
  }
  return issues;
}

type Record = z.ZodRecord<z.ZodType<PropertyKey>, z.ZodType>;

type Entry = readonly [name: string, value: unknown];

type LongMapping = {
  readonly key: string;
  /** The first is judged with the rest of the tree, so that the mapping is there and not empty. */
  readonly first: Entry | undefined;
  readonly others: readonly Entry[];
  readonly record: Record;
};

function longMappings(schema: z.ZodObject, tree: Mapping): LongMapping[] {
  return Object.entries(tree).flatMap(([key, value]) => {
    const record = Object.hasOwn(schema.shape, key) ? unwrapped(schema.shape[key]) : undefined;
    if (!(record instanceof z.ZodRecord) || !isMapping(value)) return [];
    const [first, ...others] = Object.entries(value);
    return others.length >= MANY ? [{ key, first, others, record: record as Record }] : [];
  });
}

const shortened = ({ key, first }: LongMapping) => [key, Object.fromEntries(first ? [first] : [])] as const;

const unwrapped = (schema: unknown): unknown => (schema instanceof z.ZodOptional ? unwrapped(schema.unwrap()) : schema);
