/** What attackers write where a portal's parameter holds an address. */
import { readFileSync } from 'node:fs';

/** Addresses that look like this one. */
export function lookAlikes(url: string): string[] {
  const { protocol, host, pathname: path } = new URL(url);
  return [
    'https://evil.test/',
    `https://evil.test${path}`,
    `https://evil.test/?${url}`,
    `https://evil.test/#${url}`,
    `https://${host}.evil.test${path}`,
    `https://evil-${host}${path}`,
    `https://${host}@evil.test${path}`,
    `https://evil.test@${host}${path}`,
    `https://${host}:8443${path}`,
    `https://${host}%2eevil.test${path}`,
    `https://${host}\\@evil.test${path}`,
    `https://${host}\\.evil.test${path}`,
    `https://evil.test\\${host}${path}`,
    `http://${host}${path}`,
    `//${host}${path}`,
    `//evil.test${path}`,
    `/\\evil.test${path}`,
    `https:/${host}${path}`,
    `https:evil.test${path}`,
    `ftp://${host}${path}`,
    `javascript:alert(1)//${url}`,
    `data:text/html,${url}`,
    ` ${url}`,
    `${url}\n`,
    `${protocol}//${host}/..;/x`,
    `${protocol}//${host}/%2e%2e/x`,
    `${protocol}//${host}//evil.test/`,
    'https://ⅇvil.test/',
    `https://${host}\u2044.evil.test/`,
  ];
}

/** In place of a path of the portal's own site. */
export const FOREIGN_PATHS = [
  '//evil.test/',
  '///evil.test/',
  '/\\evil.test',
  '\\\\evil.test',
  '/%5cevil.test',
  '/%2f/evil.test',
  '/\t/evil.test',
  'https://evil.test/',
  'https:evil.test',
  'javascript:alert(1)',
  '/../evil',
  '/a/%2e%2e/%2e%2e/b',
  '/..;/b',
  '/%0d%0aLocation:%20https://evil.test',
];

/** The list that return addresses of one portal are tested with; good for every other portal, too. */
export const OPEN_REDIRECTS = readFileSync(new URL('../open-redirects.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))));
