import { type Html, html } from './html.ts';
import { sourceHash } from './source-hash.ts';
import { STYLE } from './style.ts';

/** What an operator says about the looks of the pages. Colours are `#rrggbb`, a logo is a data: URI. */
export type Branding = {
  readonly name: string;
  readonly logo?: string;
  /** In light and in dark surroundings; where absent, ours. */
  readonly accent?: string;
  readonly accentDark?: string;
};

/** The looks of every page, prepared when the routes are read. */
export type Look = {
  readonly style: Html;
  /** The style's CSP source. */
  readonly styleSource: string;
  /** The operator's name and logo, above the title. */
  readonly brand?: Html;
  /** Whether the brand holds a picture. */
  readonly pictured: boolean;
};

export function openLook(branding?: Branding): Look {
  const { name, logo, accent, accentDark } = branding ?? {};
  const light = accent === undefined ? '' : `:root{--accent:${accent}}\n`;
  // After the light one, and always: where only one is given, the other surroundings keep our colour.
  const dark = `@media (prefers-color-scheme:dark){:root{--accent:${accentDark ?? OUR_DARK_ACCENT}}}\n`;
  const style = accent === undefined && accentDark === undefined ? STYLE : STYLE + light + dark;
  return {
    style: { html: `<style>${style}</style>` },
    styleSource: sourceHash(style),
    pictured: logo !== undefined,
    ...(name !== undefined && {
      brand: html`<p class="brand">${logo !== undefined && html`<img alt="" src="${logo}">`}<span>${name}</span></p>`,
    }),
  };
}

const OUR_DARK_ACCENT = '#8ab8ff';
