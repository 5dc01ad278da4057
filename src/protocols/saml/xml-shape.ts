/**
 * What XML may look like before a parser sees it: elements, attributes, text, the five predefined entities and
 * character references. Everything with which two readers can be made to see two documents is a fault: DOCTYPE
 * and entities, comments, CDATA, processing instructions, other encodings, more than one root. The limits keep the
 * work of the parser and of canonicalization linear in the size.
 */
const NAME = '[A-Za-z_][A-Za-z0-9_.-]*(?::[A-Za-z_][A-Za-z0-9_.-]*)?';
const ATTRIBUTES = `(?:\\s+${NAME}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*`;
const TAG = new RegExp(`<(?:/(${NAME})\\s*|(${NAME})(${ATTRIBUTES})\\s*(/?))>`, 'y');
const TEXT = /[^<]+/y;
const DECLARATION =
  /^<\?xml\s+version\s*=\s*["']1\.0["'](?:\s+encoding\s*=\s*["']utf-8["'])?(?:\s+standalone\s*=\s*["'](?:yes|no)["'])?\s*\?>/i;
const UNKNOWN_ENTITY = /&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 §2.2 allows no other characters below the space
const NO_XML_CHARACTER = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

const LIMITS = { depth: 40, elements: 20_000, attributes: 64 };

/** What is wrong with the shape of an XML text, for the operator; `undefined` when nothing is. */
export function shapeFault(text: string): string | undefined {
  if (NO_XML_CHARACTER.test(text)) return 'a control character';
  if (UNKNOWN_ENTITY.test(text)) return 'an entity';
  const open: string[] = [];
  let elements = 0;
  let at = DECLARATION.exec(text)?.[0].length ?? 0;
  while (at < text.length) {
    TEXT.lastIndex = at;
    const run = TEXT.exec(text)?.[0];
    if (run !== undefined) {
      if (open.length === 0 && run.trim() !== '') return 'text outside the root element';
      at += run.length;
      continue;
    }
    TAG.lastIndex = at;
    const tag = TAG.exec(text);
    if (!tag) return describeOdd(text.slice(at, at + 9));
    const [whole, closes, opens, attributes = '', empty] = tag;
    at += whole.length;
    if (opens === undefined) {
      if (open.pop() !== closes) return 'tags that do not match';
      continue;
    }
    if (open.length === 0 && elements > 0) return 'more than one root element';
    elements += 1;
    if (elements > LIMITS.elements) return 'too many elements';
    if (attributes.split('=').length > LIMITS.attributes) return 'too many attributes';
    if (empty === '') open.push(opens);
    if (open.length > LIMITS.depth) return 'elements nested too deeply';
  }
  if (elements === 0) return 'no element';
  return open.length > 0 ? 'tags that do not match' : undefined;
}

function describeOdd(start: string): string {
  if (start.startsWith('<!--')) return 'a comment';
  if (start === '<![CDATA[') return 'a CDATA section';
  if (start.startsWith('<!')) return 'a DOCTYPE';
  return start.startsWith('<?') ? 'a processing instruction' : 'a tag that is not well formed';
}
