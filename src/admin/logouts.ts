import type { FastifyInstance } from 'fastify';
import type { PortalName } from '../core/names.ts';
import { partyLane } from '../logout/lane.ts';
import { countDocument, noticeDocument } from '../logout/notice-document.ts';
import type { Filter, NoticeState, Notices } from '../store/notices.ts';

const STATES: readonly NoticeState[] = ['waiting', 'taken', 'delivered', 'dead'];

/** Notices in one answer. */
const MOST = 1_000;

type Asked = Readonly<Record<string, unknown>>;

/**
 * `GET /logouts?environment=…&portal=…&state=…&run=…&most=…&before=…` and `GET /logouts/<run>`: what environments and relying parties
 * were to be told. Read only: anything may send a request to this listener that reaches it, a page in an operator's browser too.
 * What is to be sent again, `wayhome logouts resend` says.
 */
export function serveLogouts(app: FastifyInstance, notices: Notices): void {
  app.get('/logouts', async ({ query }, reply) => {
    const asked = query as Asked;
    const of = readFilter(asked);
    const [most = 100, before] = [asked.most, asked.before].map(wholeNumber);
    if (!of || Number.isNaN(most) || Number.isNaN(before)) return reply.code(400).send({ error: 'request_malformed' });
    const found = await notices.list(of, Math.min(most, MOST), before);
    return { notices: found.map(noticeDocument), counts: countDocument(await notices.counts()) };
  });
  app.get<{ Params: { run: string } }>('/logouts/:run', async ({ params: { run } }, reply) => {
    const found = await notices.list({ run }, MOST);
    return reply.code(found.length === 0 ? 404 : 200).send({ run, notices: found.map(noticeDocument) });
  });
}

function readFilter({ environment, portal, state, run }: Asked): Filter | undefined {
  const known = STATES.find((one) => one === state);
  if (state !== undefined && !known) return undefined;
  if ([environment, portal, run].some(Array.isArray)) return undefined;
  if (environment !== undefined && portal !== undefined) return undefined;
  return {
    ...(typeof environment === 'string' && { lane: environment }),
    ...(typeof portal === 'string' && { lane: partyLane(portal as PortalName) }),
    ...(typeof run === 'string' && { run }),
    ...(known && { state: known }),
  };
}

/** `NaN` for what is there and is none. */
function wholeNumber(text: unknown): number | undefined {
  if (text === undefined) return undefined;
  return typeof text === 'string' && /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : Number.NaN;
}
