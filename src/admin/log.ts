import { type DestinationStream, destination, type Logger, pino } from 'pino';
import type { Audit, Outcome } from '../core/audit.ts';
import { REASONS } from '../core/reason.ts';

/** Whatever looks like a JWT, wherever it stands: in a message, a stack or a URL. */
const TOKEN = /eyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g;

/** Bytes of log that wait at the most for the turn to end. */
const MOST_KEPT_BACK = 8_192;

const mask = (line: string): string => (line.includes('eyJ') ? line.replace(TOKEN, '[token]') : line);

/** One JSON line per event. Without `write`, on standard output. */
export function openLog(write?: (line: string) => void): Logger {
  const stream: DestinationStream = write ? { write } : openStandardOutput();
  return pino(
    {
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: mask },
    },
    stream,
  );
}

/** Standard output, where all lines of one turn of the event loop leave in one write: it costs more than ten lines. */
function openStandardOutput(): DestinationStream & { flush(): void } {
  const output = destination({ dest: 1, sync: false, minLength: MOST_KEPT_BACK });
  let leaving = false;
  const leave = () => {
    leaving = false;
    output.flush();
  };
  return {
    write(line) {
      if (!leaving) setImmediate(leave);
      leaving = true;
      output.write(line);
    },
    flush: () => output.flush(),
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

/** Ours to mend: 5xx. A person who is refused is everyday business. */
const isTrouble = ({ reason }: Outcome): boolean =>
  Object.hasOwn(REASONS, reason) && REASONS[reason as keyof typeof REASONS].status >= 500;
