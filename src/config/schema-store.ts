import { z } from 'zod';
import { says } from './schema-problems.ts';
import { secret, text } from './schema-words.ts';

const FORMS = 'Write sqlite:./data/wayhome.db, redis://host:6379/0 or memory:.';

const REDIS = /^rediss?(?:\+(?:sentinel|cluster))?:\/\/.+$/;

const redis = z.strictObject({
  redis: z
    .string()
    .regex(REDIS, says('must be a Redis address', 'For example redis://host:6379/0.'))
    .describe('Its address, without user and password.'),
  username: text.optional().describe('Default: none, which is Redis’ default user.'),
  password: secret.optional(),
  replicas: z
    .int()
    .min(1)
    .max(8)
    .optional()
    .describe(
      'Replicas that must have a change before anybody is answered; fewer is a failure. Default: none waited for.',
    ),
});

/** store-rules.ts looks into a Redis address. */
export const storeSchema = z.union(
  [
    z
      .string()
      .regex(/^(?:sqlite:.+|memory:|rediss?(?:\+(?:sentinel|cluster))?:\/\/.+)$/, says('must be a store', FORMS)),
    redis,
  ],
  { error: says('must be a store', FORMS) },
);
