/**
 * Whether a typed email tells by its timing that its domain is known: `node bench/email-timing.ts [requests]`.
 * Known and unknown addresses take turns; what is compared is their medians against how far two halves of the same
 * kind differ.
 */
import { startWayhome } from '../src/compose.ts';
import { median } from './figures.ts';
import { ORIGIN, routesText } from './world.ts';

const ENVIRONMENTS = 1_000;
const requests = Number(process.argv[2] ?? 2_000);
const secret = 'bench-secret-0123456789-0123456789-0123456789';

const text = routesText({ store: 'memory:', environments: ENVIRONMENTS })
  .replaceAll(/secret: \{ file: [^}]*\/([^ }/]+) \}/g, (_, name: string) => `secret: { env: S_${name} }`)
  .replace(/\n {2}rsa:[\s\S]*?(?=\nenvironments:)/, '');
const variables: Record<string, string> = { PORTAL_SECRET: secret, OTHER_PORTAL_SECRET: `other-${secret}` };
for (const [, name = ''] of text.matchAll(/env: S_([^ }]+)/g)) variables[`S_${name}`] = `${name}-${secret}`;

const running = await startWayhome({ file: 'routes.yaml', text, variables, log: () => {} });
const form = { 'content-type': 'application/x-www-form-urlencoded', host: new URL(ORIGIN).host };
const post = async (email: string): Promise<number> => {
  const began = performance.now();
  const answer = await fetch(`${running.localUrl}/callback`, {
    method: 'POST',
    headers: form,
    body: new URLSearchParams({ email }),
    redirect: 'manual',
  });
  await answer.arrayBuffer();
  return (performance.now() - began) * 1000;
};

const known: number[] = [];
const unknown: number[] = [];
for (let request = -200; request < requests; request++) {
  const isKnown = request % 2 === 0;
  const took = await post(
    isKnown ? `ada@e${(Math.abs(request) % (ENVIRONMENTS - 1)) + 1}.example` : `ada@n${Math.abs(request)}.example`,
  );
  if (request >= 0) (isKnown ? known : unknown).push(took);
}
await running.close();
const halves = (times: readonly number[]) =>
  Math.abs(median(times.slice(0, times.length / 2)) - median(times.slice(times.length / 2)));
console.log(`known domains    ${median(known).toFixed(1)} µs (median of ${known.length})`);
console.log(`unknown domains  ${median(unknown).toFixed(1)} µs (median of ${unknown.length})`);
console.log(`apart by         ${Math.abs(median(known) - median(unknown)).toFixed(1)} µs`);
console.log(
  `noise            ${Math.max(halves(known), halves(unknown)).toFixed(1)} µs between two halves of one kind`,
);
