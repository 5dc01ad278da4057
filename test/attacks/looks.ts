import type { Send } from '../support/browser.ts';

/** Requests that want no answer of ours acted upon: nobody has followed a link. */
export const LOOKS: Readonly<Record<string, Send>> = {
  HEAD: { method: 'HEAD' },
  OPTIONS: { method: 'OPTIONS' },
  'Sec-Purpose: prefetch': { headers: { 'sec-purpose': 'prefetch' } },
  'Sec-Purpose: prefetch;prerender': { headers: { 'sec-purpose': 'prefetch;prerender' } },
  'Purpose: prefetch': { headers: { purpose: 'prefetch' } },
  'Purpose: preview': { headers: { purpose: 'preview' } },
  'X-Purpose: preview': { headers: { 'x-purpose': 'preview' } },
  'X-Moz: prefetch': { headers: { 'x-moz': 'prefetch' } },
  'an unknown purpose beside X-Moz': { headers: { purpose: 'other', 'x-moz': 'prefetch' } },
  image: { headers: { 'sec-fetch-dest': 'image' } },
  iframe: { headers: { 'sec-fetch-dest': 'iframe' } },
  script: { headers: { 'sec-fetch-dest': 'script' } },
  'service worker': { headers: { 'sec-fetch-dest': 'serviceworker' } },
  'HEAD without cookies': { method: 'HEAD', cookies: 'none' },
};
