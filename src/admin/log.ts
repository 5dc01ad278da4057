import { type DestinationStream, destination, type Logger, pino } from 'pino';
import type { Audit, Outcome } from '../core/audit.ts';
import { REASONS } from '../core/reason.ts';

/** Whatever looks like a JWT, wherever it stands: in a message, a stack or a URL. */
const TOKEN = /eyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g;

/** Characters of log that wait at the most for the turn to end. */
const MOST_KEPT_BACK = 8_192;

const mask = (line: string): string => (line.includes('eyJ') ? line.replace(TOKEN, '[token]') : line);

let stampedAt = 0;
let stamp = '';

/** ISO 8601 in milliseconds; made once for all lines of one. */
function timestamp(): string {
  const now = Date.now();
  if (now !== stampedAt) stamp = `,"time":"${new Date(now).toISOString()}"`;
  stampedAt = now;
  return stamp;
}

/** One JSON line per event. Without `write`, on standard output. */
export function openLog(write?: (line: string) => void): Logger {
  const stream: DestinationStream = write ? { write } : openStandardOutput();
  return pino(
    {
      base: null,
      messageKey: 'message',
      timestamp,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: mask },
    },
    stream,
  );
}

/**
 * Standard output, where all lines of one turn of the event loop leave in one write. The write is synchronous: one
 * that goes through the thread pool costs several times as much.
 */
function openStandardOutput(): DestinationStream & { flush(): void } {
  const output = destination({ dest: 1, sync: true });
  let lines = '';
  const leave = () => {
    if (lines !== '') output.write(lines);
    lines = '';
  };
  return {
    write(line) {
      if (lines === '') setImmediate(leave);
      lines += line;
      if (lines.length > MOST_KEPT_BACK) leave();
    },
    flush: leave,
  };
}

/** Writes every outcome to the log and hands it to the other listeners (metrics, recent outcomes). */
export function openAudit(log: Logger, ...others: readonly ((outcome: Outcome) => void)[]): Audit {
  return {
    record(outcome) {
      if (isTrouble(outcome)) log.warn(outcome);
      else log.info(outcome);
      for (const hear of others) hear(outcome);
    },
    fault: (reference, error) => log.error({ event: 'fault', reference, err: error }),
  };
}

/**
 * Somebody has to mend it: 5xx, a portal that does not take our tokens, an environment that does not know who is gone.
 * A person who is refused is everyday business.
 */
const isTrouble = ({ event, reason }: Outcome): boolean =>
  event === 'portal.refusals_suspected' ||
  reason === 'notice_dead' ||
  reason === 'notice_not_kept' ||
  (Object.hasOwn(REASONS, reason) && REASONS[reason as keyof typeof REASONS].status >= 500);
