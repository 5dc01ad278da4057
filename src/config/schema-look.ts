import { z } from 'zod';
import { says } from './schema-problems.ts';
import { text } from './schema-words.ts';

/** A picture beside the file that names it. What is in it, picture-rules.ts looks at. */
export const picture = z.strictObject(
  { file: text.describe('SVG or PNG, at most 16 KiB; the path is relative to this file.') },
  { error: ({ code }) => (code === 'invalid_type' ? NAMES_FILE : undefined) },
);
const NAMES_FILE = says('must name a file', 'Write { file: picture.svg }.');

/** A colour as six hexadecimal digits. */
const COLOUR = says('must be a colour', 'Write six hexadecimal digits, in quotes since # begins a comment: "#1f5fbf".');
const colour = z.string({ error: COLOUR }).regex(/^#[0-9a-fA-F]{6}$/, { error: COLOUR });

/** The operator’s look: `branding`. */
export const brandingSchema = z.strictObject({
  name: text.describe('Stands above the title of every page.'),
  logo: picture.optional().describe('Stands before the name.'),
  accent: colour
    .optional()
    .describe('Colour of buttons and links; needs a contrast of 4.5:1 with white. Default #1f5fbf.'),
  accent_dark: colour
    .optional()
    .describe('The same in dark surroundings; needs a contrast of 4.5:1 with #1b2129. Default #8ab8ff.'),
});
