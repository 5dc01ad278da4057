import { printable } from '../config/describe.ts';
import { type Lane, ownerOf } from '../logout/lane.ts';
import { isoTime } from '../logout/notice-document.ts';
import type { EndedVisits } from './end-visits.ts';

/** What ended, and who learns of it; without `run`, what would be. Names nobody. */
export const endedDocument = ({ run, over, told, untold }: EndedVisits) => ({
  ...(run !== undefined && { run }),
  visits: over.map(({ portal, environment, at }) => ({ portal, environment, signed_in: isoTime(at) })),
  told: told.map(ownerOf),
  not_told: untold.map(ownerOf),
});

/** The same in lines. */
export function describeEnded({ run, over, told, untold }: EndedVisits): string[] {
  const count = `${over.length} ${over.length === 1 ? 'visit' : 'visits'}`;
  const names = (lanes: readonly Lane[]) => lanes.map(describeLane).join(', ');
  const lines = [
    run === undefined ? `${count} would end` : `${count} ended, run ${run}`,
    ...over.map(({ portal, environment, at }) => `  ${portal} through ${environment}, since ${isoTime(at)}`),
  ];
  const will = run === undefined ? 'would' : 'will';
  if (told.length > 0) lines.push(`${will} be told: ${names(told)}`);
  if (untold.length > 0) lines.push(`${will} not be told, since only a browser could: ${names(untold)}`);
  return lines.map(printable);
}

function describeLane(lane: Lane): string {
  const { environment, portal } = ownerOf(lane);
  return environment ?? `portal ${portal}`;
}
