import { METADATA_MAX_AGE } from '../keys/overlap.ts';
import type { Page } from './pages/layout.ts';

/** What a handler says; `app.ts` writes it. Headers that every answer carries are added there. */
export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `Set-Cookie` lines. */
  readonly cookies?: readonly string[];
  readonly body?: string;
};

/** 302 after a GET; 303 after a POST, so that the form is not posted on (RFC 9110 §15.4.4). */
export const redirect = (method: string, location: string, cookies?: readonly string[]): Answer => ({
  status: method === 'POST' ? 303 : 302,
  headers: { location },
  ...(cookies && { cookies }),
});

export const page = (status: number, { html, policy }: Page, cookies?: readonly string[]): Answer => ({
  status,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    // A page is in the language that the browser prefers (RFC 9110 §12.5.5).
    vary: 'Accept-Language',
  },
  ...(cookies && { cookies }),
  body: html,
});

/** Public metadata: anybody may read it, and keep it for as long as a rotation of keys waits for. */
export const metadata = (body: string, contentType = 'application/json'): Answer => ({
  status: 200,
  headers: {
    'content-type': contentType,
    'cache-control': `public, max-age=${METADATA_MAX_AGE}`,
    'access-control-allow-origin': '*',
  },
  body,
});

/** For HEAD, prefetch, preview and embedded requests to an address that acts: an answer, and nothing done. */
export const NOTHING_DONE: Answer = { status: 204, headers: {} };

export function appendParam(url: string, name: string, value: string): string {
  const separator = !url.includes('?') ? '?' : url.endsWith('?') || url.endsWith('&') ? '' : '&';
  return `${url}${separator}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
}
