import type { Path, Report } from './portal-problem.ts';
import { LOGIN_ORIGIN, type PortalPreset } from './preset.ts';
import { parseTemplate } from './template.ts';

/** A source names something that the preset has. */
export function checkSource(preset: PortalPreset, source: string, path: Path, report: Report): void {
  const [from, name = ''] = source.split('.');
  if (from === 'config' && !knowsConfig(preset, name)) report(path, `there is no config.${name}`);
  if (from === 'request' && !Object.hasOwn(preset.authn_request.params, name))
    report(path, `there is no request.${name}`);
  if (from === 'session' && preset.token.session === undefined) report(path, 'session.exp needs token.session');
}

/** A template of plain text. */
export function checkTemplate(
  preset: PortalPreset,
  template: string,
  path: Path,
  report: Report,
  only?: 'config only',
): void {
  const parts = parseTemplate(template);
  if (!parts) report(path, 'a brace that is not part of {config.name} or {request.name}');
  for (const part of parts ?? []) {
    if (typeof part === 'string') continue;
    if (part.from === 'request' && only) report(path, 'only {config.…} may stand here');
    else checkSource(preset, `${part.from}.${part.name}`, path, report);
  }
}

/** A template of a URL: https, and nothing that is filled in can move it to another host or path. */
export function checkUrlTemplate(
  preset: PortalPreset,
  template: string,
  path: Path,
  report: Report,
  only?: 'config only',
): void {
  checkTemplate(preset, template, path, report, only);
  if (template.includes('#')) report(path, 'no fragment may stand here');
  const parts = parseTemplate(template) ?? [];
  for (const [index, part] of parts.entries()) {
    if (typeof part === 'string') {
      if (index === 0 && !part.startsWith('https://'))
        report(path, 'must start with https:// or with a setting of kind url');
      continue;
    }
    const isUrl = part.from === 'config' && preset.config[part.name]?.kind === 'url';
    if (isUrl !== (index === 0))
      report(path, 'a setting of kind url stands at the start of a URL, and nothing else does');
    const before = parts.slice(0, index).filter((earlier) => typeof earlier === 'string');
    if (part.from === 'request' && !before.join('').includes('?')) {
      report(path, 'the request may only fill in the query of a URL');
    }
  }
}

const SETUP_WORDS = ['login_url', 'logout_url', 'issuer'];

/** A sentence of `setup`: text for people, with {login_url}, {logout_url}, {issuer} and {config.name}. */
export function checkSentence(preset: PortalPreset, sentence: string, path: Path, report: Report): void {
  for (const [, word = ''] of sentence.matchAll(/\{([^{}]*)\}/g)) {
    const known = word.startsWith('config.') ? knowsConfig(preset, word.slice(7)) : SETUP_WORDS.includes(word);
    if (!known) report(path, `{${word}} is none of {login_url}, {logout_url}, {issuer} and {config.…}`);
  }
}

const knowsConfig = (preset: PortalPreset, name: string): boolean =>
  name === LOGIN_ORIGIN || Object.hasOwn(preset.config, name);
