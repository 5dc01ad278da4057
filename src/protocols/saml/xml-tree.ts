import { createRequire } from 'node:module';
import { shapeFault } from './xml-shape.ts';

/** An element, as much of it as SAML needs. */
export type XmlElement = {
  readonly namespace: string;
  /** Without its prefix. */
  readonly name: string;
  /** By name; those of no namespace, which are all of SAML's own. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Every attribute that some reader could take for an identifier: `ID`, `Id`, `id`, `xml:id`. */
  readonly ids: readonly string[];
  readonly children: readonly XmlElement[];
  /** The text that stands directly in it, all of it. */
  readonly text: string;
};

export type ParsedXml =
  | { readonly ok: true; readonly root: XmlElement }
  | { readonly ok: false; readonly fault: string };

/** The part of a DOM that is read here; xmldom's own types would bring a browser's globals with them. */
type DomNode = {
  readonly nodeType: number;
  readonly localName: string | null;
  readonly prefix?: string | null;
  readonly namespaceURI?: string | null;
  readonly nodeValue: string | null;
  readonly attributes: { readonly length: number; item(index: number): DomNode };
  readonly firstChild: DomNode | null;
  readonly nextSibling: DomNode | null;
};
type Xmldom = {
  readonly DOMParser: new (options: {
    locator: object;
    errorHandler: (level: string, message: string) => void;
  }) => { parseFromString(text: string, type: string): { readonly documentElement: DomNode } };
};

const ELEMENT = 1;
const TEXT = 3;

let loaded: Xmldom | undefined;

/** At first use: most installations have no SAML environment. */
function xmldom(): Xmldom {
  loaded ??= createRequire(import.meta.url)('@xmldom/xmldom') as Xmldom;
  return loaded;
}

/**
 * XML text → its elements, or what is wrong with it. It is read by the parser that signatures are checked with, so
 * that nothing can be one thing here and another there.
 */
export function parseXml(text: string): ParsedXml {
  const fault = shapeFault(text);
  if (fault) return { ok: false, fault };
  try {
    const parser = new (xmldom().DOMParser)({
      locator: {},
      errorHandler: (_level, message) => {
        throw new Error(message);
      },
    });
    return { ok: true, root: convert(parser.parseFromString(text, 'text/xml').documentElement) };
  } catch (error) {
    const [line = ''] = String((error as Error).message).split('\n');
    return { ok: false, fault: `not XML: ${line.replace(/[^\x20-\x7e]/g, '?').slice(0, 80)}` };
  }
}

function convert(node: DomNode): XmlElement {
  if (node.prefix && !node.namespaceURI) throw new Error('a prefix without a namespace');
  const attributes = new Map<string, string>();
  const ids: string[] = [];
  for (let index = 0; index < node.attributes.length; index++) {
    const { localName, prefix, nodeValue } = node.attributes.item(index);
    if (localName === null || nodeValue === null) continue;
    if (!prefix) attributes.set(localName, nodeValue);
    if (/^id$/i.test(localName) && prefix !== 'xmlns') ids.push(nodeValue);
  }
  const children: XmlElement[] = [];
  let text = '';
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (child.nodeType === ELEMENT) children.push(convert(child));
    else if (child.nodeType === TEXT) text += child.nodeValue ?? '';
    else throw new Error('something that is neither element nor text');
  }
  return { namespace: node.namespaceURI ?? '', name: node.localName ?? '', attributes, ids, children, text };
}

export const is = (element: XmlElement, namespace: string, name: string): boolean =>
  element.name === name && element.namespace === namespace;

/** The children of this name. */
export const childrenOf = (parent: XmlElement, namespace: string, name: string): XmlElement[] =>
  parent.children.filter((child) => is(child, namespace, name));

/** The first child of this name. */
export const childOf = (parent: XmlElement, namespace: string, name: string): XmlElement | undefined =>
  parent.children.find((child) => is(child, namespace, name));
