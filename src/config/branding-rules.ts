import type { Survey } from './survey.ts';

/** The surface that accents stand on and are written upon with, in light and dark surroundings. */
export const LIGHT_CARD = '#ffffff';
export const DARK_CARD = '#1b2129';

/** WCAG 2.2 §1.4.3, level AA, for text of any size. */
const LEAST_CONTRAST = 4.5;

/** An accent can be read: as a link on the card, and under the text of a button, which is as light or as dark. */
export function checkBranding({ draft, report }: Survey): void {
  const { accent, accent_dark: accentDark } = draft.branding ?? {};
  const check = (key: string, colour: string | undefined, card: string, towards: string, kind: string) => {
    if (colour === undefined) return;
    const ratio = contrast(colour, card);
    if (ratio >= LEAST_CONTRAST) return;
    const message = `has a contrast of ${(Math.floor(ratio * 10) / 10).toFixed(1)}:1 with ${card}; people need ${LEAST_CONTRAST}:1`;
    report.fault(['branding', key], message, `Take a ${kind} shade, such as "${readable(colour, card, towards)}".`);
  };
  check('accent', accent, LIGHT_CARD, '#000000', 'darker');
  check('accent_dark', accentDark, DARK_CARD, '#ffffff', 'lighter');
}

/** Contrast ratio of two `#rrggbb` colours, 1 to 21 (WCAG 2.2, “contrast ratio”). */
export function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** WCAG 2.2, “relative luminance”. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = channels(colour).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const channels = (colour: string): number[] =>
  [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));

/** The nearest mixture with black or white that has contrast enough. */
function readable(colour: string, card: string, towards: string): string {
  const goal = channels(towards);
  for (let share = 0.02; share < 1; share += 0.02) {
    const mixed = channels(colour).map((value, index) => Math.round(value + ((goal[index] ?? 0) - value) * share));
    const shade = `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
    if (contrast(shade, card) >= LEAST_CONTRAST) return shade;
  }
  return towards;
}
