import { createHash } from 'node:crypto';

/** What allows exactly this inline style or script (Content Security Policy Level 3, §6.7.3.3). */
export const sourceHash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
