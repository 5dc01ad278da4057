import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import type { Outcome } from '../core/audit.ts';

export type Metrics = {
  hear(outcome: Outcome): void;
  readonly contentType: string;
  text(): Promise<string>;
};

/** Every label is from a closed set: events and reasons are tables, portals and environments are configured. */
export function openMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const outcomes = new Counter({
    name: 'wayhome_outcomes_total',
    help: 'Outcomes by event, reason, portal and environment',
    labelNames: ['event', 'reason', 'portal', 'environment'] as const,
    registers: [registry],
  });
  return {
    hear: ({ event, reason, portal = '', environment = '' }) => outcomes.inc({ event, reason, portal, environment }),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}
