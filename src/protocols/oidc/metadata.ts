import { Refusal } from '../../core/reason.ts';
import { CLOCK_SKEW, type Instant } from '../../core/time.ts';
import type { Caller } from '../../outbound/outbound.ts';
import { callEnvironment, statusRefusal } from '../outbound-refusal.ts';
import { metadataUrl, type Provider, parseMetadata, statedProvider } from './provider.ts';
import type { OidcEntry } from './settings.ts';

/** Hands out what is known of a provider. Throws `Refusal` where nothing is. */
export type Metadata = { read(now: Instant): Promise<Provider> };

/** Seconds for which metadata is used without asking again. */
const FRESH_FOR = 10 * 60;
/** Seconds for which the last good copy serves while no newer one can be read. */
const SERVED_FOR = 24 * 60 * 60;
/** Seconds after a failure before the next try, with a copy that serves meanwhile, and without one. */
const PAUSE = { served: 30, unserved: 5 };

/**
 * Opens the metadata of one environment; nothing is read before the first login. However many logins start, one
 * request is under way at most. With stated endpoints nothing is ever read.
 */
export function openMetadata(settings: OidcEntry, caller: Caller): Metadata {
  if (settings.endpoints) {
    const stated = Promise.resolve(statedProvider(settings.endpoints, settings));
    return { read: () => stated };
  }
  const url = metadataUrl(settings);
  let copy: { readonly provider: Provider; readonly readAt: Instant } | undefined;
  let failure: { readonly refusal: Refusal; readonly at: Instant } | undefined;
  let asking: Promise<void> | undefined;

  async function ask(now: Instant): Promise<void> {
    try {
      const { status, body } = await callEnvironment(caller, { url, headers: { accept: 'application/json' } });
      if (status !== 200) throw statusRefusal('metadata', status);
      copy = { provider: parseMetadata(body, settings), readAt: now };
      failure = undefined;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failure = { refusal: error, at: now };
    }
  }

  function mayAsk(now: Instant): boolean {
    if (copy && !isPast(copy.readAt, FRESH_FOR, now)) return false;
    return !failure || isPast(failure.at, copy ? PAUSE.served : PAUSE.unserved, now);
  }

  return {
    async read(now) {
      if (!asking && mayAsk(now)) {
        asking = ask(now).finally(() => {
          asking = undefined;
        });
      }
      // A fresh copy serves at once, also while somebody else's clock made them ask.
      if (asking && (!copy || isPast(copy.readAt, FRESH_FOR, now))) await asking;
      if (copy && !isPast(copy.readAt, SERVED_FOR, now)) return copy.provider;
      const { reason, detail } = failure?.refusal ?? new Refusal('environment_unavailable', 'metadata');
      throw new Refusal(reason, detail);
    },
  };
}

/** Whether that many seconds have gone by. A clock that was set back counts as long ago. */
const isPast = (since: Instant, seconds: number, now: Instant): boolean =>
  now - since >= seconds || now < since - CLOCK_SKEW;
