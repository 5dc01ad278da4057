/** The words that the parts of the preset model are written with. */
import { z } from 'zod';

export const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'a name: a letter, then letters, digits, _ or -');

export const tokenParam = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, 'a parameter name: a letter, then letters, digits or _');

export const claimName = z.string().regex(/^[A-Za-z][!-~]{0,127}$/, 'a claim name of printable characters');

export const template = z.string().min(1).meta({ description: 'Text with {config.name} and {request.name} in it' });

export const source = z
  .string()
  .regex(
    /^(?:time\.(?:iat|exp)|session\.exp|random\.uuid|(?:user|config|request)\.[A-Za-z][A-Za-z0-9_-]*)$/,
    'a source: user.*, config.*, request.*, time.iat, time.exp, session.exp or random.uuid',
  );

export const scalar = z.union([z.string(), z.number(), z.boolean()]);

export const seconds = z.int().positive();
