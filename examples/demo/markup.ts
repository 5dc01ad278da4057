/** Reading links, forms and tables out of a page, forgivingly: enough for a client that clicks what it sees. */

export type Link = { readonly href: string; readonly text: string };

export type Form = {
  readonly action: string;
  readonly method: string;
  /** Inputs with their preset values, buttons left out. */
  readonly fields: ReadonlyMap<string, string>;
  readonly buttons: readonly { readonly name: string; readonly value: string; readonly text: string }[];
};

export function readLinks(body: string): Link[] {
  return elements(body, 'a').map(({ attributes, inner }) => ({
    href: attributes.get('href') ?? '',
    text: textOf(inner),
  }));
}

export function readForms(body: string): Form[] {
  return elements(body, 'form').map(({ attributes, inner }) => {
    const inputs = [...inner.matchAll(/<input\b([^>]*)>/gi)].map(([, text = '']) => readAttributes(text));
    return {
      action: attributes.get('action') ?? '',
      method: (attributes.get('method') ?? 'get').toUpperCase(),
      fields: new Map(inputs.map((input) => [input.get('name') ?? '', input.get('value') ?? ''])),
      buttons: elements(inner, 'button').map((button) => ({
        name: button.attributes.get('name') ?? '',
        value: button.attributes.get('value') ?? '',
        text: textOf(button.inner),
      })),
    };
  });
}

/** `<th>name</th><td>value</td>` → name and value. */
export function readTable(body: string): Map<string, string> {
  const cells = body.matchAll(/<th\b[^>]*>([\s\S]*?)<\/th>\s*<td\b[^>]*>([\s\S]*?)<\/td>/gi);
  return new Map([...cells].map(([, name = '', value = '']) => [textOf(name), textOf(value)]));
}

export const readTitle = (body: string): string => textOf(elements(body, 'h1')[0]?.inner ?? body).slice(0, 160);

/** Where a page leads by itself and at once (`<meta http-equiv="refresh">` of no seconds), in a browser without scripts. */
export const readRefresh = (body: string): string | undefined =>
  [...body.matchAll(/<meta\b([^>]*)>/gi)]
    .map(([, text = '']) => readAttributes(text))
    .filter((meta) => meta.get('http-equiv')?.toLowerCase() === 'refresh')
    .map((meta) => /^0; url=(.+)$/.exec(meta.get('content') ?? '')?.[1])[0];

/** The text of the first `<code>`, where refusal pages keep their reference. */
export const readCode = (body: string): string | undefined =>
  elements(body, 'code').map(({ inner }) => textOf(inner))[0];

function elements(body: string, name: string): { attributes: Map<string, string>; inner: string }[] {
  const pattern = new RegExp(`<${name}\\b([^>]*)>([\\s\\S]*?)</${name}>`, 'gi');
  return [...body.matchAll(pattern)].map(([, text = '', inner = '']) => ({ attributes: readAttributes(text), inner }));
}

function readAttributes(text: string): Map<string, string> {
  const found = text.matchAll(/([a-z][a-z-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi);
  return new Map(
    [...found].map(([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      decode(double ?? single ?? bare ?? ''),
    ]),
  );
}

const textOf = (inner: string): string =>
  decode(inner.replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim();

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

const decode = (text: string): string =>
  text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return NAMED[name] ?? whole;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
