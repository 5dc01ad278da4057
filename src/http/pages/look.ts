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
  const colours = [
    { surroundings: 'light', colour: accent },
    { surroundings: 'dark', colour: accentDark },
  ].filter(({ colour }) => colour !== undefined);
  const own = colours.map(
    ({ surroundings, colour }) => `@media (prefers-color-scheme:${surroundings}){:root{--accent:${colour}}}\n`,
  );
  const style = STYLE + own.join('');
  return {
    style: { html: `<style>${style}</style>` },
    styleSource: sourceHash(style),
    pictured: logo !== undefined,
    ...(name !== undefined && {
      brand: html`<p class="brand">${logo !== undefined && html`<img alt="" src="${logo}">`}<bdi>${name}</bdi></p>`,
    }),
  };
}
