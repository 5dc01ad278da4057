import { z } from 'zod';
import { parseDuration } from '../core/time.ts';
import { says } from './schema-problems.ts';
import { duration, publicFile, some, url } from './schema-words.ts';
import { SIZE_PATTERN } from './size.ts';

/** Seconds. */
const LONGEST_TIMEOUT = 60;

const HOST = says('must be a host name in lower case', 'Write globex.login.example.com, without https:// and port.');

const host = z
  .string({ error: HOST })
  .regex(/^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/, {
    error: HOST,
    abort: true,
  })
  // `URL` reads 10.1 and 0x7f.1 as addresses, too.
  .refine(
    (value) => URL.canParse(`https://${value}`) && !/^[0-9.]+$/.test(new URL(`https://${value}`).hostname),
    says('is an IP address', 'Browsers need a name of its own for every environment.'),
  );

const PREFIX = says('must be an absolute path without escapes', 'Write /sso/ or /login.');

/** RFC 3986 §3.3 without percent-encoding and empty segments: each path is written one way only. */
const prefix = z
  .string({ error: PREFIX })
  .regex(/^\/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]+\/)*(?:[A-Za-z0-9._~!$&'()*+,;=:@-]+)?$/, { error: PREFIX, abort: true })
  .refine(
    (value) => !value.split('/').some((segment) => segment === '.' || segment === '..'),
    says('must not hold . or .. as a segment', 'Write the path that is meant.'),
  )
  .refine(
    (value) => value !== '/.wayhome' && !value.startsWith('/.wayhome/'),
    says('is an address of the router itself', 'Nothing at or below /.wayhome is passed on.'),
  );

const SIZE = says('must be a size', 'Write a number and its unit: 64kB, 10MB.');

/** `proxy` of an environment whose pages are reached through the router. */
export const proxySchema = z.strictObject({
  host: host.describe('A host of its own, never the router’s; it leads to the router.'),
  upstream: url.describe('Where the router finds it: an origin in the router’s own network, http allowed.'),
  paths: some(prefix).describe('What is passed on: /sso/ and all below it, /login itself and all below it.'),
  tells: z
    .enum(['host', 'upstream'])
    .optional()
    .describe('Which host name it is told: the one that browsers see, or upstream’s. Default host.'),
  ca: publicFile
    .optional()
    .describe('Certificate authorities (PEM) that an https upstream is verified with, in place of the system’s.'),
  max_body: z
    .string({ error: SIZE })
    .regex(SIZE_PATTERN, { error: SIZE })
    .optional()
    .describe('The largest body of a request; a kB is 1024 bytes. Default 10MB.'),
  timeout: duration
    .refine(
      (value) => (parseDuration(value) ?? 0) <= LONGEST_TIMEOUT,
      says('is longer than a minute', 'People have gone by then. Write at most 60s.'),
    )
    .optional()
    .describe('How long it may take until it answers, and between two pieces of an answer. Default 10s.'),
});
