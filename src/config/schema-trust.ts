import { z } from 'zod';
import { publicFile, secret } from './schema-words.ts';

/** A certificate and its private key, both PEM. */
export const keyPair = z.strictObject({
  certificate: publicFile.describe('A PEM certificate.'),
  private_key: secret.describe('Its private key, in PEM.'),
});

/** What an operator says about calling an environment's servers: keys of `login`, whatever the protocol. */
export const trustWords = {
  allow_private: z
    .literal(true)
    .optional()
    .describe('Addresses of it that the router calls may be private or loopback ones.'),
  ca: publicFile
    .optional()
    .describe('Certificate authorities (PEM) that its servers are verified with, in place of the system’s.'),
  client_certificate: keyPair.optional().describe('What the router shows of itself to its servers (mutual TLS).'),
} as const;
