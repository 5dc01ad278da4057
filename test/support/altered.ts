/** The same base64url text with one character changed: not a last one, some of whose bits may mean nothing. */
export const altered = (text: string): string =>
  `${text.slice(0, -9)}${text.at(-9) === 'A' ? 'B' : 'A'}${text.slice(-8)}`;
