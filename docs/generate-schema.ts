import { z } from 'zod';
import { routesSchema } from '../src/config/schema.ts';

/** The JSON Schema (draft 2020-12) of routes.yaml for editors, as text: what `routes.schema.json` holds. */
export function routesSchemaJson(): string {
  const schema = { ...z.toJSONSchema(routesSchema, { io: 'input' }), title: 'Wayhome routes' };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
