import { type Reason, Refusal } from '../core/reason.ts';
import type { Answer } from './delegate.ts';

/** OAuth's words (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6) and two of ours → reasons. */
const WORDS: ReadonlyMap<string, Reason> = new Map([
  ['access_denied', 'access_denied'],
  ['login_required', 'login_required'],
  ['interaction_required', 'login_required'],
  ['consent_required', 'login_required'],
  ['account_selection_required', 'login_required'],
  ['unknown_user', 'unknown_user'],
  ['user_banned', 'user_banned'],
  ['temporarily_unavailable', 'environment_unavailable'],
]);

/** The refusal in an environment's `error=` answer; `undefined` when it sent none. Its text goes to the log only. */
export function readErrorAnswer(answer: Answer): Refusal | undefined {
  const error = answer.get('error');
  if (error === undefined || error === '') return undefined;
  return new Refusal(WORDS.get(error) ?? 'environment_error', errorForLog(error, answer.get('error_description')));
}

/** A foreign error and its description for the log: short, ASCII, on one line, without what looks like a token or an email. */
export const errorForLog = (error: string, description = ''): string =>
  `${plain(error, 40)} ${plain(description, 120)}`.trim();

const plain = (text: string, length: number): string =>
  text
    .slice(0, length)
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/eyJ[\w.-]*/g, '[token]')
    .replace(/[^ ]*@[^ ]*/g, '[email]');
