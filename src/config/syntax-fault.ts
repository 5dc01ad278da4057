import type { ErrorCode } from 'yaml';

const OTHERWISE = [
  'this is not valid YAML',
  'Compare the indentation and the brackets with the lines around it.',
] as const;

/**
 * Our own words for the library's: its messages quote the text that it stumbled over, which may be a secret.
 */
const FAULTS: Partial<Record<ErrorCode, readonly [message: string, remedy: string]>> = {
  ALIAS_PROPS: ['an alias may not have an anchor or a tag', 'Remove it.'],
  BAD_ALIAS: ['this alias or anchor cannot be read', 'An alias (*name) needs an anchor (&name) above it.'],
  BAD_DIRECTIVE: ['this directive is not known', 'Remove the line that starts with %.'],
  BAD_DQ_ESCAPE: ['this escape is not known', 'In double quotes write \\\\ for a backslash, or use single quotes.'],
  BAD_INDENT: ['the indentation does not fit', 'Indent the keys of one mapping equally, with spaces.'],
  BAD_SCALAR_START: ['plain text cannot start with this character', 'Put quotes round the text.'],
  BLOCK_AS_IMPLICIT_KEY: [
    'two keys on one line',
    'Put the second on a line of its own, or quotes round text that holds “: ”.',
  ],
  BLOCK_IN_FLOW: [
    'indented lines cannot stand inside brackets',
    'Close the bracket first, or write all of it in brackets.',
  ],
  KEY_OVER_1024_CHARS: ['a key is longer than 1024 characters', 'Shorten it.'],
  MISSING_CHAR: [
    'a character is missing',
    'Look for an unclosed quote or bracket, a missing comma, or a missing “: ”.',
  ],
  MULTILINE_IMPLICIT_KEY: ['a key goes over several lines', 'Look for a missing “: ” or an unclosed quote.'],
  MULTIPLE_DOCS: ['a second YAML document starts here', 'Remove the line “---”.'],
  NON_STRING_KEY: ['a key must be plain text', 'Write a word before the colon.'],
  TAB_AS_INDENT: ['a tab is used as indentation', 'Use spaces.'],
  TAG_RESOLVE_FAILED: [
    'tags (words starting with “!”) are not used in this file',
    'Remove the tag, or put quotes round the text.',
  ],
};

/** What to say about a fault of the YAML syntax, by its code. */
export function syntaxFault(code: ErrorCode): { readonly message: string; readonly remedy: string } {
  const [message, remedy] = FAULTS[code] ?? OTHERWISE;
  return { message, remedy };
}
