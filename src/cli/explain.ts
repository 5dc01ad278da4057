import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import type { CheckedRoutes } from '../config/checked.ts';
import { describeProblems } from '../config/describe.ts';
import { readRoutes } from '../config/read.ts';
import type { PortalName } from '../core/names.ts';
import { type Instant, systemClock } from '../core/time.ts';
import { describeExplanation } from './describe-explanation.ts';
import { authorizationTarget } from './explain-authorization.ts';
import { type AskedRequest, explainRequest } from './explain-request.ts';
import type { Io } from './io.ts';
import { openSealerOf } from './kept-sealer.ts';

const USAGE = `usage: wayhome explain <url> [--routes routes.yaml] [--json]
         [--header 'name: value']… [--cookie 'name=value']… [--client-ip address]
         [--form 'name=value']… [--portal name] [--at 2026-11-20T10:00:00Z]

Tells which environment a login would go to, and why, step by step. <url> is a Remote Login URL with its query, or
/enter/<environment>/<portal>; with --portal, any URL, whose query is read as if that portal had sent it.
--client-ip is the address that connects; where it is one of trusted_proxies, X-Forwarded-For is believed.
--form is what a page of ours posts. Opens no socket and changes nothing.
Exit status: 0 an environment or a page, 1 refused or a faulty routes file, 2 wrong usage.
`;

/** `wayhome explain`: prints what the router would do with a request, and why. Returns the exit status. */
export async function explain(args: readonly string[], io: Io): Promise<0 | 1 | 2> {
  const { stdout, stderr } = io;
  const asked = readArguments(args);
  if (asked === 'help') {
    stdout.write(USAGE);
    return 0;
  }
  if (typeof asked === 'string') return misused(io, asked);

  const outcome = await readRoutes(asked.file, io.env);
  if (!outcome.ok) {
    stderr.write(`${describeProblems(outcome.problems)}\n`);
    if (asked.json)
      stdout.write(`${JSON.stringify({ error: 'routes_faulty', problems: outcome.problems }, null, 2)}\n`);
    return 1;
  }
  const target = targetOf(asked, outcome.routes);
  if ('wrong' in target) return misused(io, target.wrong);

  const { sealer, missing } = openSealerOf(outcome.routes);
  const headers = { host: new URL(outcome.routes.publicOrigin).host, ...asked.request.headers };
  const request = { ...asked.request, headers, target: target.target };
  const { explanation, unopened } = explainRequest(outcome.routes, request, sealer, asked.now);
  if (unopened > 0) {
    stderr.write(`sealed cookies and parameters cannot be read: ${missing ?? 'altered, or sealed with another key'}\n`);
  }
  if (asked.json) stdout.write(`${JSON.stringify(explanation, null, 2)}\n`);
  else stdout.write(`${describeExplanation(explanation, outcome.routes)}\n`);
  return 'error' in explanation || explanation.next.do === 'refuse' ? 1 : 0;
}

function misused({ stderr }: Io, what: string): 2 {
  stderr.write(`wayhome explain: ${what}\n${USAGE}`);
  return 2;
}

type Asked = {
  readonly url: string;
  readonly file: string;
  readonly portal?: string;
  readonly json: boolean;
  readonly now: Instant;
  readonly request: Omit<AskedRequest, 'target'>;
};

function readArguments(args: readonly string[]): Asked | 'help' | string {
  const texts = { type: 'string', multiple: true, default: [] as string[] } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        routes: { type: 'string', default: './routes.yaml' },
        header: texts,
        cookie: texts,
        form: texts,
        portal: { type: 'string' },
        'client-ip': { type: 'string' },
        at: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return 'help';
    const [url, ...more] = positionals;
    if (url === undefined || more.length > 0) return 'one URL at a time';
    const now = values.at === undefined ? systemClock() : readInstant(values.at);
    if (now === undefined) return '--at must be a date and time with its zone, such as 2026-11-20T10:00:00Z';
    const peer = values['client-ip'];
    if (peer !== undefined && isIP(peer) === 0) return '--client-ip must be an IP address';
    const headers = readHeaders(values.header, values.cookie);
    if (typeof headers === 'string') return headers;
    const form = values.form.map((pair) => /^([^=]*)=(.*)$/s.exec(pair)?.slice(1).map(encodeURIComponent).join('='));
    if (form.includes(undefined)) return '--form must be name=value';
    return {
      url,
      file: values.routes,
      json: values.json,
      now,
      ...(values.portal !== undefined && { portal: values.portal }),
      request: {
        method: form.length > 0 ? 'POST' : 'GET',
        headers,
        ...(peer !== undefined && { peer }),
        ...(form.length > 0 && { body: form.join('&') }),
      },
    };
  } catch (error) {
    return (error as Error).message;
  }
}

/** RFC 3339 §5.6, whole seconds. */
function readInstant(text: string): Instant | undefined {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/i.test(text)
    ? Date.parse(text)
    : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000);
}

const HEADER = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/;
const COOKIE = /^[^\s;=]+=[\x20-\x3a\x3c-\x7e]*$/;

/** Of these, the first line counts when several come; of others, all do (node:http, `message.headers`). */
const STAND_ONCE = new Set(['authorization', 'content-type', 'from', 'host', 'referer', 'user-agent']);

/** Headers as the HTTP parser would hand them over, or what is wrong with them. */
function readHeaders(lines: readonly string[], cookies: readonly string[]): Record<string, string> | string {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ''] = HEADER.exec(line) ?? [];
    if (name === undefined) return `--header must be 'name: value', in Latin-1`;
    const key = name.toLowerCase();
    const before = headers.get(key);
    if (before === undefined) headers.set(key, value.trimEnd());
    else if (!STAND_ONCE.has(key)) headers.set(key, `${before}${key === 'cookie' ? '; ' : ', '}${value.trimEnd()}`);
  }
  if (!cookies.every((cookie) => COOKIE.test(cookie))) return `--cookie must be 'name=value'`;
  const cookie = [headers.get('cookie') ?? [], cookies].flat().join('; ');
  if (cookie !== '') headers.set('cookie', cookie);
  return Object.fromEntries(headers);
}

/** Path and query as a browser would send them to this router. */
function targetOf(
  { url, portal }: Asked,
  { publicOrigin, portals, relyingParties }: CheckedRoutes,
): { target: string } | { wrong: string } {
  if (!URL.canParse(url, `${publicOrigin}/`)) return { wrong: 'this is not a URL' };
  const { origin, pathname, search } = new URL(url, `${publicOrigin}/`);
  if (portal !== undefined) {
    const party = relyingParties.get(portal as PortalName);
    if (party) return { target: authorizationTarget(party, search) };
    const loginPath = portals.get(portal as PortalName)?.loginPath;
    if (loginPath === undefined) {
      const names = [...portals.keys(), ...relyingParties.keys()];
      return { wrong: `there is no portal ${portal}; there are: ${names.join(', ')}` };
    }
    return { target: `${loginPath}${search}` };
  }
  if (origin !== publicOrigin)
    return { wrong: `this is no address of ${publicOrigin}; with --portal its query is read all the same` };
  return { target: `${pathname}${search}` };
}
