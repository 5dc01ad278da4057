/** Walks every journey of a running demo and says, line by line, how it went. */
import { Browser } from './browser.ts';
import { JOURNEYS } from './journeys.ts';
import type { Demo } from './start.ts';

/** `problem` is absent where the journey went well. */
export type Walked = { readonly journey: string; readonly ms: number; readonly problem?: string };

/** Never rejects for a journey that fails; `report` is told about each as it ends. */
export async function checkDemo(demo: Demo, report: (walked: Walked) => void): Promise<readonly Walked[]> {
  const all: Walked[] = [];
  for (const { title, walk } of JOURNEYS) {
    const started = performance.now();
    const browser = new Browser();
    let problem: string | undefined;
    try {
      await walk(demo, browser);
    } catch (error) {
      problem = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim();
    } finally {
      await browser.close();
    }
    const walked = {
      journey: title,
      ms: Math.round(performance.now() - started),
      ...(problem !== undefined && { problem }),
    };
    all.push(walked);
    report(walked);
  }
  return all;
}
