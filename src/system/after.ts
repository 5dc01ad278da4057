/**
 * Does some work once, after so many milliseconds, unless what it returns is called before. Tests hand in their own.
 */
export type After = (ms: number, work: () => void) => () => void;

/** The system's timers. None of them keeps a process alive. */
export const systemAfter: After = (ms, work) => {
  const timer = setTimeout(work, ms).unref();
  return () => clearTimeout(timer);
};
