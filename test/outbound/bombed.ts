/**
 * A process of its own that calls a server with a bomb, so that its memory is the client's alone. Prints how the
 * calls ended, and by how much they raised the peak of resident memory above that of harmless answers as large as
 * are accepted.
 */
import { openOutbound } from '../../src/outbound/client.ts';
import { OutboundError } from '../../src/outbound/outbound.ts';

const [, , url = ''] = process.argv;
const caller = openOutbound().callerFor('us', { allowPrivate: true });

for (let call = 0; call < 20; call++) await caller.call({ url });
const before = process.resourceUsage().maxRSS;
const kinds = new Set<string>();
for (let call = 0; call < 5; call++) {
  await caller.call({ url: `${url}bomb` }).catch((error: unknown) => {
    kinds.add(error instanceof OutboundError ? error.kind : String(error));
  });
}
const peakKiB = process.resourceUsage().maxRSS - before;
process.stdout.write(JSON.stringify({ kinds: [...kinds], peakKiB }));
