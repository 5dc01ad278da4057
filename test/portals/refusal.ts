import { type Reason, Refusal } from '../../src/core/reason.ts';

/** The reason for which this is refused, or `accepted`. Anything else that is thrown is a bug. */
export const refusal = (act: () => unknown): Reason | 'accepted' => refused(act)?.reason ?? 'accepted';

/** What the refusal says to the operator. */
export const refusalDetail = (act: () => unknown): string | undefined => refused(act)?.detail;

function refused(act: () => unknown): Refusal | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}
