/**
 * Loaded into a router (`NODE_OPTIONS=--import`): at each SIGUSR2 a line says how many bytes have grown old. They stay
 * until a full collection; none of those is forced but at the first signal, and what is young is collected before each.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { type: 'major' | 'minor' }) => void;
let asked = false;

process.on('SIGUSR2', () => {
  if (!asked) collect({ type: 'major' });
  asked = true;
  // An object that survives twice is old.
  for (let time = 0; time < 2; time++) collect({ type: 'minor' });
  const bytes = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size;
  process.stdout.write(`${JSON.stringify({ event: 'test.old_objects', bytes })}\n`);
});
