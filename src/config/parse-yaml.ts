import { Composer, type CST, Lexer, LineCounter, Parser } from 'yaml';
import { readEverydayYaml } from './everyday-yaml.ts';
import { collectPlaces } from './places.ts';
import { type FaultAt, plainTree } from './plain-tree.ts';
import { dotted, type Locate, type Place, type Problem } from './problem.ts';
import { syntaxFault } from './syntax-fault.ts';

export type ParsedYaml = {
  readonly file: string;
  /** Plain objects without prototype, arrays and scalars; `undefined` when nothing could be read. */
  readonly tree: unknown;
  readonly problems: readonly Problem[];
  readonly locate: Locate;
};

/** Characters. 10,000 environments of twenty lines each need about half of it. */
export const LONGEST_FILE = 8 * 1024 * 1024;
/** Pieces as the lexer cuts them (words, marks, spaces): what time and memory grow with. */
const MOST_LEXEMES = 3_000_000;
/** routes.yaml needs 8. The composer of `yaml` recurses, and ends in a stack error at about 20,000. */
const DEEPEST = 64;
const MOST_SYNTAX_FAULTS = 50;

const OPTIONS = {
  schema: 'core',
  strict: true,
  stringKeys: true,
  // Found in plain-tree.ts instead: the library compares every key with every other one.
  uniqueKeys: false,
  merge: false,
  resolveKnownTags: false,
  prettyErrors: false,
} as const;

/**
 * YAML text → a plain tree that knows its positions, and every fault of the syntax: broken structure, duplicate
 * and unusable keys, tags. Never throws. Size, depth and number of pieces are capped while the text is cut, before
 * anything recursive or quadratic sees it. No text of the file but keys stands in a problem.
 *
 * Text of the everyday kind never meets the library, and its positions are found when the first of them is asked for.
 */
export function parseYaml(file: string, text: string): ParsedYaml {
  if (text.length > LONGEST_FILE) {
    return refused(file, { line: 1, column: 1 }, 'the file is too long', 'At most 8 MiB are read.');
  }
  const everyday = readEverydayYaml(text);
  if (everyday) return { file, tree: everyday.tree, problems: [], locate: locateLater(text) };
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return line === 0 ? { line: 1, column: 1 } : { line, column: col };
  };
  const cut = cutTokens(text, lines);
  if ('refusal' in cut) return refused(file, place(cut.offset), cut.refusal, cut.remedy);

  const [document, second] = new Composer(OPTIONS).compose(cut.tokens, true, text.length);
  const problems: Problem[] = [];
  const fault: FaultAt = (path, offset, message, remedy) => {
    problems.push({ severity: 'fault', file, ...place(offset), path: dotted(path), message, remedy });
  };
  const errors = document ? [...document.errors, ...document.warnings] : [];
  for (const { code, pos } of errors.slice(0, MOST_SYNTAX_FAULTS)) {
    const { message, remedy } = syntaxFault(code);
    fault([], pos[0], message, remedy);
  }
  if (second) {
    const { message, remedy } = syntaxFault('MULTIPLE_DOCS');
    fault([], second.range[0], message, remedy);
  }
  const { tree, offset } = plainTree(document?.contents ?? null, fault);
  return { file, tree, problems, locate: (path, at = 'value') => place(offset(path, at)) };
}

/** Reads everyday text once more, for its positions: most files are right, and nobody asks for them. */
function locateLater(text: string): Locate {
  let locate: Locate | undefined;
  return (path, at = 'value') => {
    locate ??= locateNow(text);
    return locate(path, at);
  };
}

function locateNow(text: string): Locate {
  const places = collectPlaces();
  const root = readEverydayYaml(text, places.mark);
  if (!root) throw new Error('everyday text is read twice, and alike');
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
  return (path, at = 'value') => {
    const { line, col } = lines.linePos(places.offset(root, path, at));
    return { line, column: col };
  };
}

type Cut = { tokens: CST.Token[] } | { refusal: string; remedy: string; offset: number };

function cutTokens(text: string, lines: LineCounter): Cut {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const tokens: CST.Token[] = [];
  let documents = 0;
  let lexemes = 0;
  let faults = 0;
  let previous = '';
  for (const lexeme of new Lexer().lex(text)) {
    const { offset } = parser;
    if (++lexemes > MOST_LEXEMES) {
      return {
        refusal: 'the file holds too much',
        remedy: 'Fewer environments, or shorter ones, fit in one file.',
        offset,
      };
    }
    // No tag is used here, and `!!omap` and its like are costly to read. The lexer marks text by \x1f.
    if (lexeme.startsWith('!') && previous !== '\x1f' && (lexeme.startsWith('!!') || ++faults > MOST_SYNTAX_FAULTS)) {
      const { message, remedy } = syntaxFault('TAG_RESOLVE_FAILED');
      return { refusal: message, remedy, offset };
    }
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (token.type === 'document') documents++;
      if (token.type === 'error') faults++;
    }
    if (parser.stack.length > DEEPEST) {
      return { refusal: 'nested too deeply', remedy: `At most ${DEEPEST} levels are read.`, offset };
    }
    // One document too many is enough to say so, and nobody reads more faults at once.
    if (documents > 2 || faults > MOST_SYNTAX_FAULTS) break;
    previous = lexeme;
  }
  tokens.push(...parser.end());
  return { tokens };
}

function refused(file: string, place: Place, message: string, remedy: string): ParsedYaml {
  const problem: Problem = { severity: 'fault', file, ...place, path: '', message, remedy };
  return { file, tree: undefined, problems: [problem], locate: () => place };
}
