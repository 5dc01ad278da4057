/**
 * Templates of a preset: plain text with `{config.name}` and `{request.name}` in it. No expressions, no
 * conditions. They are compiled when a portal is opened; on the login path only strings are joined.
 */
export type Reference = { readonly from: 'config' | 'request'; readonly name: string };

/** Text parts and references in order; `undefined` when a brace is left over or names something else. */
export function parseTemplate(template: string): readonly (string | Reference)[] | undefined {
  const parts: (string | Reference)[] = [];
  let rest = template;
  for (;;) {
    const [whole, before = '', from, name] = /^([^{}]*)\{(config|request)\.([A-Za-z][A-Za-z0-9_-]*)\}/.exec(rest) ?? [];
    if (whole === undefined || name === undefined) break;
    if (before !== '') parts.push(before);
    parts.push({ from: from as Reference['from'], name });
    rest = rest.slice(whole.length);
  }
  if (/[{}]/.test(rest)) return undefined;
  return rest === '' ? parts : [...parts, rest];
}

type Config = Readonly<Record<string, string>>;
type Params = Readonly<Record<string, string>>;

/** A template with its settings filled in; what is left to fill in is the request's. */
export type Filled = (params: Params) => string;

/** Fills in a template as plain text (claims, comparisons). Throws on a template that `checkPreset` refuses. */
export const fillText = (template: string, config: Config): Filled => fill(template, config, (value) => value);

/**
 * Fills in a template of a URL: what is put in is percent-encoded, so it cannot leave its place. The exception
 * is a reference at the very start, which is a setting of kind `url` (`checkPreset` sees to that); between its path
 * and one that follows there is one slash.
 */
export const fillUrl = (template: string, config: Config): Filled => {
  const followed = /^\{[^{}]*\}\//.test(template);
  const asIs = (value: string) => (followed ? value.replace(/\/$/, '') : value);
  return fill(template, config, (value, first) => (first ? asIs(value) : encodeURIComponent(value)));
};

/** A template that names settings only. */
export const constantUrl = (template: string, config: Config): string => fillUrl(template, config)({});

function fill(template: string, config: Config, write: (value: string, first: boolean) => string): Filled {
  const parts = parseTemplate(template);
  if (!parts) throw new Error(`not a template: ${template}`);
  const filled: (string | Reference)[] = parts.map((part, index) => {
    if (typeof part === 'string' || part.from === 'request') return part;
    return write(config[part.name] ?? '', index === 0);
  });
  if (filled.every((part) => typeof part === 'string')) {
    const constant = filled.join('');
    return () => constant;
  }
  return (params) =>
    filled.map((part) => (typeof part === 'string' ? part : write(params[part.name] ?? '', false))).join('');
}
