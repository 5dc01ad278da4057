/**
 * How other programs read the name of a parameter. A name that we read as harmless may be `access_token` to a
 * portal that decodes twice, ignores case, splits at `;` or strips `[]`; here such names are found.
 */
const ESCAPE = /%[0-9a-f]{2}/i;
const ESCAPES = /(?:%[0-9a-f]{2})+/gi;
const PLAIN_NAME = /^[A-Za-z0-9_]*$/;

/** Rounds of percent-encoding that are taken off; nothing honest has more than two. */
const MOST_LAYERS = 8;

/** Takes off percent-encoding until none is left, at most eight layers deep. Never throws. */
export function decodeFully(text: string): string {
  let decoded = text;
  for (let layer = 0; layer < MOST_LAYERS && ESCAPE.test(decoded); layer++) {
    decoded = decoded.replace(ESCAPES, decodeRun);
  }
  return decoded;
}

/** Whether percent-encoding is left in this text. */
export const isEncoded = (text: string): boolean => ESCAPE.test(text);

function decodeRun(run: string): string {
  try {
    return decodeURIComponent(run);
  } catch {
    // Not UTF-8: byte by byte, as readers do that know no better.
    return run.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

/** One name for all spellings: fully decoded, in lower case, compatibility forms unified, without `[…]`. */
export function foldName(name: string): string {
  if (PLAIN_NAME.test(name)) return name.toLowerCase();
  const folded = decodeFully(name).normalize('NFKC').toLowerCase();
  const bracket = folded.indexOf('[');
  return (bracket === -1 ? folded : folded.slice(0, bracket)).trim();
}

/**
 * Every name that some reader could find in a query, each as a list of the spellings it may be taken for.
 * `decoded` is the query after `decodeFully`: a separator that appears only by decoding twice still separates.
 */
export const possibleNames = (decoded: string): string[][] =>
  decoded.split(/[&;?#]/).map((pair) => {
    const equals = pair.indexOf('=');
    return spellings(equals === -1 ? pair : pair.slice(0, equals));
  });

function spellings(name: string): string[] {
  if (PLAIN_NAME.test(name)) return [name.toLowerCase()];
  const unified = name.normalize('NFKC').toLowerCase().replace(/\+/g, ' ').trim();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: some readers end a name at a control character
  const end = unified.search(/[[.\x00-\x20]/);
  return [
    // `name[]`, `name[0]`, `name.x`, `name%00x`
    end === -1 ? unified : unified.slice(0, end),
    // PHP turns space, dot and an opening bracket into `_`.
    unified.replace(/[ .[]/g, '_'),
    unified.replace(/\[.*$/, '').replace(/[ .]/g, '_'),
  ];
}
