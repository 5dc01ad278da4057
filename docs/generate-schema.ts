import { z } from 'zod';
import { routesSchema } from '../src/config/schema.ts';
import { presetSchema } from '../src/portals/preset.ts';

/** The JSON Schema (draft 2020-12) of routes.yaml for editors, as text: what `routes.schema.json` holds. */
export const routesSchemaJson = (): string => schemaJson(routesSchema, 'Wayhome routes');

/** The same of a preset file: what `preset.schema.json` holds. */
export const presetSchemaJson = (): string => schemaJson(presetSchema, 'Wayhome preset');

const schemaJson = (schema: z.ZodType, title: string): string =>
  `${JSON.stringify({ ...z.toJSONSchema(schema, { io: 'input' }), title }, null, 2)}\n`;
