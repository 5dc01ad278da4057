import { type FSWatcher, watch } from 'node:fs';
import type { Watched } from '../config/watched.ts';

/** A file is written in several steps; it is read once they are over. Milliseconds. */
const SETTLE_MS = 200;
/** Each holds a descriptor. The first folders are those of the routes file and of what it includes. */
const MOST_FOLDERS = 64;

export type RoutesWatch = {
  /** Watches these folders from now on, and no others. */
  follow(watched: Watched): void;
  /** Something changed that nobody saw: read the routes once things have settled. */
  nudge(): void;
  close(): void;
};

/**
 * Calls `changed` when a file that matters was written, a moment after the last of the writes. Folders are watched,
 * not files: editors and mounted configuration replace those. One that cannot be watched is passed over; SIGHUP
 * reads the routes whatever was seen.
 */
export function watchRoutes(changed: () => void): RoutesWatch {
  const watchers = new Map<string, FSWatcher>();
  let watched: Watched = new Map();
  let settling: NodeJS.Timeout | undefined;

  const nudge = () => {
    clearTimeout(settling);
    settling = setTimeout(changed, SETTLE_MS);
  };
  const forget = (folder: string) => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  const open = (folder: string) => {
    try {
      const watcher = watch(folder, (_event, name) => {
        if (name === null || watched.get(folder)?.(name)) nudge();
      });
      watcher.on('error', () => forget(folder));
      watchers.set(folder, watcher);
    } catch {
      // It is not there, or too many are watched already.
    }
  };
  return {
    follow(next) {
      watched = new Map([...next].slice(0, MOST_FOLDERS));
      for (const folder of watchers.keys()) if (!watched.has(folder)) forget(folder);
      for (const folder of watched.keys()) if (!watchers.has(folder)) open(folder);
    },
    nudge,
    close() {
      clearTimeout(settling);
      for (const folder of [...watchers.keys()]) forget(folder);
    },
  };
}
