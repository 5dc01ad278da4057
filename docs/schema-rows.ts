import { z } from 'zod';

type Definitions = Readonly<Record<string, Schema>>;

type Schema = {
  readonly $ref?: string;
  readonly $defs?: Definitions;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
};

/**
 * The rows of a table `key | value | what it is`: every key that a schema takes, in its order. `apart`: definitions that
 * are only named there.
 */
export function keyRows(schema: z.ZodType, apart: readonly string[] = []): string[] {
  const written = writtenOut(schema);
  const told = Object.entries(written.$defs ?? {}).filter(([name]) => !apart.includes(name));
  return rows(written, '', Object.fromEntries(told));
}

/** The same for one of its definitions. */
export const definitionRows = (schema: z.ZodType, name: string): string[] =>
  rows(writtenOut(schema).$defs?.[name] ?? {}, '', {});

const writtenOut = (schema: z.ZodType): Schema => z.toJSONSchema(schema, { io: 'input' }) as unknown as Schema;

/** `definitions`: those that are not told yet on the way to this path, so that one that holds itself ends. */
function rows(schema: Schema, path: string, definitions: Definitions): string[] {
  if (schema.$ref !== undefined) {
    const { [definitionOf(schema.$ref)]: definition, ...others } = definitions;
    return definition ? rows(definition, path, others) : [];
  }
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return variants.flatMap((variant) => rows(variant, path + tag(variant), definitions));
  if (schema.items)
    return isSecret(schema.items) || isFile(schema.items) ? [] : rows(schema.items, `${path}[]`, definitions);
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const at = path === '' ? key : `${path}.${key}`;
    const star = schema.required?.includes(key) ? '*' : '';
    return [
      `| \`${at}\`${star} | ${describeValue(value)} | ${value.description ?? ''} |`,
      ...(isSecret(value) || isFile(value) ? [] : rows(value, at, definitions)),
    ];
  });
  const any = schema.additionalProperties;
  return typeof any === 'object' && any.properties ? [...own, ...rows(any, `${path}.<name>`, definitions)] : own;
}

/** `#/$defs/condition` → `condition`. */
const definitionOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1);

/** What tells one of several shapes apart: `(protocol: handoff)`. */
function tag({ properties, required }: Schema): string {
  const fixed = Object.entries(properties ?? {}).find(
    ([key, value]) => value.const !== undefined && required?.includes(key),
  );
  return fixed ? `(${fixed[0]}: ${fixed[1].const})` : '';
}

function describeValue(schema: Schema): string {
  if (schema.$ref !== undefined) return definitionOf(schema.$ref);
  if (isSecret(schema)) return 'secret';
  if (isFile(schema)) return 'file';
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return [...new Set(variants.map(describeValue))].join(' or ');
  if (schema.items) return `list of ${describeValue(schema.items)}`;
  return [schema.type ?? ''].flat().map(typeName).join(' or ');
}

const typeName = (type: string): string => ({ object: 'mapping', string: 'text', integer: 'number' })[type] ?? type;

const isSecret = ({ anyOf, properties }: Schema): boolean =>
  (anyOf?.length === 2 &&
    anyOf.every((one) => one.properties && ('env' in one.properties || 'file' in one.properties))) ||
  (properties !== undefined && Object.keys(properties).join() === 'env,file');

/** `{ file: path }`, unless there is more to say about it. */
const isFile = ({ properties }: Schema): boolean =>
  Object.keys(properties ?? {}).join() === 'file' && properties?.file?.description === undefined;
