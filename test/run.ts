/**
 * `npm test`: runs every test, and says first which real counterparts are absent, what is left out without them
 * and how to get them. With CI=true an absent one is a failure.
 */
import { spawnSync } from 'node:child_process';
import { type Counterpart, counterparts } from './support/counterparts.ts';

const absent = Object.values<Counterpart>(counterparts).filter(({ present }) => !present());
for (const { name, shows, install } of absent) {
  console.error(`left out: ${shows}, since ${name} is not installed. On Debian: ${install}`);
}
if (absent.length > 0 && process.env.CI === 'true') {
  console.error('CI=true: every counterpart has to be there.');
  process.exit(1);
}
const { status } = spawnSync('tap', process.argv.slice(2), { stdio: 'inherit', shell: false });
process.exit(status ?? 1);
