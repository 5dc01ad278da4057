/**
 * Writes what is generated from the code (`npm run docs`), or says what has drifted (`npm run docs:check`).
 * Generated: the JSON Schemas, docs/routes.md, docs/reasons.md, docs/portals.md, docs/presets.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { portalsPage } from './generate-portals.ts';
import { presetsPage } from './generate-presets.ts';
import { reasonsPage } from './generate-reasons.ts';
import { routesPage } from './generate-routes.ts';
import { presetSchemaJson, routesSchemaJson } from './generate-schema.ts';

const FILES: Readonly<Record<string, () => string>> = {
  'routes.schema.json': routesSchemaJson,
  'preset.schema.json': presetSchemaJson,
  'docs/routes.md': routesPage,
  'docs/reasons.md': reasonsPage,
  'docs/portals.md': portalsPage,
  'docs/presets.md': presetsPage,
};

const root = new URL('../', import.meta.url);
const check = process.argv.includes('--check');
let drifted = 0;

for (const [path, generate] of Object.entries(FILES)) {
  const file = new URL(path, root);
  const text = generate();
  if (!check) writeFileSync(file, text);
  else if (readIfThere(file) !== text) {
    drifted++;
    console.error(`${path} does not say what the code does; run \`npm run docs\``);
  }
}
if (check && drifted === 0) console.log(`${Object.keys(FILES).length} generated files agree with the code`);
process.exitCode = drifted === 0 ? 0 : 1;

function readIfThere(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
