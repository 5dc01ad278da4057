/** RFC 4647 §2.1: a language range is letters, then subtags of letters and digits; or `*`, any language. */
const RANGE = /^(?:\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)$/;
/** RFC 9110 §12.4.2: 0 to 1, at most three decimals. */
const WEIGHT = /^[\t ]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;
/** Members of the header that are read; browsers send fewer than ten. */
const MOST_MEMBERS = 50;

/**
 * The languages of an Accept-Language header (RFC 9110 §12.5.4), lower case, most preferred first: by weight, and by
 * their order where weights are equal. `*` stands for any language. What is refused (`q=0`) or malformed is left
 * out. Never throws.
 */
export function preferredLanguages(header: string | undefined): string[] {
  const weighed: { range: string; weight: number }[] = [];
  for (const member of (header ?? '').toLowerCase().split(',', MOST_MEMBERS)) {
    const [range = '', parameter, more] = member.split(';', 3);
    const weight = parameter === undefined ? 1 : Number(WEIGHT.exec(parameter.trimEnd())?.[1] ?? 0);
    const name = range.trim();
    if (weight > 0 && more === undefined && RANGE.test(name)) weighed.push({ range: name, weight });
  }
  weighed.sort((a, b) => b.weight - a.weight);
  return [...new Set(weighed.map(({ range }) => range))];
}

/**
 * The longest of these lower-case languages that a language is, or is a regional form of: `de` for `de-at`, and
 * `zh-hant` rather than `zh` for `zh-hant-tw` (RFC 4647 §3.3.1 and §3.4). `*` is no form of any.
 */
export function matchLanguage(language: string, among: Iterable<string>): string | undefined {
  let longest: string | undefined;
  for (const candidate of among) {
    const matches = language === candidate || language.startsWith(`${candidate}-`);
    if (matches && (longest === undefined || candidate.length > longest.length)) longest = candidate;
  }
  return longest;
}
