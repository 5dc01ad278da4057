/** Part of `npm run build`: data that the compiled modules read from beside themselves. */
import { cpSync } from 'node:fs';

const DATA = ['portals/presets'] as const;

for (const folder of DATA) {
  cpSync(new URL(`../src/${folder}`, import.meta.url), new URL(`../dist/${folder}`, import.meta.url), {
    recursive: true,
  });
}
