import { matchLanguage, preferredLanguages } from '../../core/accept-language.ts';
import ar from './texts/ar.json' with { type: 'json' };
import de from './texts/de.json' with { type: 'json' };
import en from './texts/en.json' with { type: 'json' };
import es from './texts/es.json' with { type: 'json' };
import fr from './texts/fr.json' with { type: 'json' };
import he from './texts/he.json' with { type: 'json' };
import it from './texts/it.json' with { type: 'json' };
import ja from './texts/ja.json' with { type: 'json' };
import nl from './texts/nl.json' with { type: 'json' };
import pl from './texts/pl.json' with { type: 'json' };
import pt from './texts/pt.json' with { type: 'json' };
import tr from './texts/tr.json' with { type: 'json' };
import zh from './texts/zh.json' with { type: 'json' };

/** The words of every page. A catalog has exactly the keys of the English one. */
export type Texts = typeof en;

/** One language: its words, and how it is written. */
export type Speech = {
  readonly texts: Texts;
  /** BCP 47 tag, for `lang`. */
  readonly lang: string;
  readonly dir: 'ltr' | 'rtl';
  /** A whole number in this language's digits. */
  readonly number: (value: number) => string;
};

const CATALOGS: Readonly<Record<string, Texts>> = { ar, de, en, es, fr, he, it, ja, nl, pl, pt, tr, zh };
const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(['ar', 'he']);

/** Every language that the pages speak, by its tag. */
export const SPEECHES: ReadonlyMap<string, Speech> = new Map(
  Object.entries(CATALOGS).map(([lang, texts]) => {
    const { format } = new Intl.NumberFormat(lang);
    return [lang, { texts, lang, dir: RIGHT_TO_LEFT.has(lang) ? 'rtl' : 'ltr', number: format }];
  }),
);

export const ENGLISH: Speech = SPEECHES.get('en') ?? { texts: en, lang: 'en', dir: 'ltr', number: String };

/** The first language of an Accept-Language header (RFC 9110 §12.5.4) that the pages speak; English without one. */
export function speechFor(acceptLanguage: string | undefined): Speech {
  for (const language of preferredLanguages(acceptLanguage)) {
    const speech = SPEECHES.get(matchLanguage(language, SPEECHES.keys()) ?? '');
    if (speech) return speech;
  }
  return ENGLISH;
}
