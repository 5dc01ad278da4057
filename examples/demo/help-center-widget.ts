/**
 * The widget of HelpCenter.io's stand-in: a script that other people's pages embed, and the calls that it makes. Its
 * token goes along with every call; when it is about to expire, the page's `onAuthExpired` gives it another one (step 5
 * of the article).
 */
import type { HelpCenterVerdict } from './help-center-token.ts';
import type { Call, Reply, RouteTable } from './server.ts';

/** `widget`: which widget on which page asks; one token serves all calls of one widget. */
export type JudgeWidget = (token: string, widget: string) => Promise<HelpCenterVerdict>;

export function widgetRoutes(judge: JudgeWidget): RouteTable {
  async function articles({ headers, url }: Call): Promise<Reply> {
    const token = headers.authorization?.replace(/^Bearer /, '') ?? '';
    const verdict = await judge(token, url.searchParams.get('widget') ?? '');
    if (!verdict.accepted) return json(401, { reason: verdict.reason });
    const { email, name, exp } = verdict.claims;
    return json(200, { articles: ['How refunds work', 'Export your data'], email, name, exp });
  }

  return {
    'GET /js/init.js': () => ({ status: 200, headers: { 'content-type': 'text/javascript' }, body: SCRIPT }),
    'OPTIONS /api/articles': () => ({ status: 204, headers: READABLE }),
    'GET /api/articles': articles,
  };
}

/** The token says who asks, not a cookie; so any page may. */
const READABLE = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'authorization' };

const json = (status: number, body: object): Reply => ({
  status,
  headers: { 'content-type': 'application/json', ...READABLE },
  body: JSON.stringify(body),
});

/** Seconds before `exp` at which it asks for another token. */
const MARGIN = 20;

const SCRIPT = `(() => {
  const origin = new URL(document.currentScript.src).origin;
  const options = window.hcOptions;
  const id = crypto.randomUUID();
  let stale = false;

  const make = (name, text) => Object.assign(document.createElement(name), { textContent: text });
  const expiry = () => {
    try {
      const payload = options.jwt.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
      return JSON.parse(atob(payload)).exp;
    } catch {
      return 0;
    }
  };
  const renew = async () => {
    options.jwt = await options.onAuthExpired();
    stale = false;
  };
  const ask = async () => {
    const headers = { authorization: 'Bearer ' + options.jwt };
    const response = await fetch(origin + '/api/articles?widget=' + id, { headers });
    return response.json();
  };

  const widget = make('section', '');
  widget.setAttribute('aria-label', 'Help');
  const find = make('button', 'Find articles');
  const expire = make('button', 'Let the token expire');
  const answer = make('div', '');
  answer.setAttribute('role', 'status');
  expire.onclick = () => {
    stale = true;
    answer.replaceChildren(make('p', 'The next call asks the page for a fresh token.'));
  };
  find.onclick = async () => {
    try {
      if (stale || expiry() < Date.now() / 1000 + ${MARGIN}) await renew();
      let said = await ask();
      if (['jwt_expired', 'jwt_too_old'].includes(said.reason)) {
        await renew();
        said = await ask();
      }
      if (said.reason) throw new Error('Refused: ' + said.reason);
      const list = make('ul', '');
      list.append(...said.articles.map((title) => make('li', title)));
      answer.replaceChildren(make('h2', 'Articles for ' + said.email), list);
    } catch (error) {
      answer.replaceChildren(make('h2', error.message));
    }
  };
  widget.append(find, expire, answer);
  document.querySelector('main').append(widget);
})();
`;
