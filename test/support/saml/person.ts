import type { Departure } from '../../../src/protocols/delegate.ts';
import { PASSWORD } from './simplesaml.ts';

/** Where a journey leads away from the identity provider. */
export type Arrival = {
  /** Address without its query. */
  readonly address: string;
  readonly method: 'GET' | 'POST';
  /** Of the query or of the posted form. */
  readonly params: ReadonlyMap<string, string>;
};

/**
 * Somebody with a browser of their own at an identity provider: keeps its cookies, follows redirects, posts forms that
 * post themselves, and fills in the login page.
 */
export function openPerson(idp: { readonly origin: string }, username: string) {
  const cookies = new Map<string, string>();
  let asked = 0;

  async function request(url: string, form?: URLSearchParams): Promise<Response> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { cookie },
      ...(form && { method: 'POST', body: form }),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split(/=(.*)/s);
      cookies.set(name, value);
    }
    return answer;
  }

  async function go(departure: Departure): Promise<Arrival> {
    let url = 'url' in departure ? departure.url : departure.action;
    let form = 'url' in departure ? undefined : new URLSearchParams(departure.fields);
    for (let hops = 0; hops < 12; hops++) {
      const target = new URL(url);
      if (target.origin !== idp.origin) {
        return {
          address: target.origin + target.pathname,
          method: form ? 'POST' : 'GET',
          params: new Map(form ?? target.searchParams),
        };
      }
      const answer = await request(url, form);
      const location = answer.headers.get('location');
      const body = await answer.text();
      const page = location ? undefined : readForm(body);
      if (!location && !page) throw new Error(`${answer.status} leads nowhere: ${plain(body)}`);
      if (page?.fields.has('password')) {
        asked += 1;
        page.fields.set('username', username);
        page.fields.set('password', PASSWORD);
      }
      url = new URL(location ?? page?.action ?? '', url).href;
      form = page?.fields;
    }
    throw new Error('the journey has no end');
  }

  return {
    go,
    /** Pages on which the person had to say who they are. */
    asked: () => asked,
  };
}

function readForm(html: string): { readonly action: string; readonly fields: URLSearchParams } | undefined {
  const [, attributes, content] =
    /<form([^>]*)>([\s\S]*?)<\/form>/.exec(html.replace(/<form[^>]*id="language[\s\S]*?<\/form>/g, '')) ?? [];
  if (attributes === undefined || content === undefined) return undefined;
  const fields = new URLSearchParams();
  for (const [, input = ''] of content.matchAll(/<input([^>]*)>/g)) {
    const name = attributeOf(input, 'name');
    if (name) fields.set(name, attributeOf(input, 'value'));
  }
  return { action: attributeOf(attributes, 'action'), fields };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&quot;': '"',
  '&lt;': '<',
  '&gt;': '>',
  '&#039;': "'",
};

function attributeOf(attributes: string, name: string): string {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
  return value
    .replace(/&#x([0-9a-f]+);/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/&(?:amp|quot|lt|gt|#039);/g, (entity) => ENTITIES[entity] ?? entity);
}

const plain = (html: string): string =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .slice(0, 1_500);
