/**
 * Parameters of the router's own pages on the Remote Login URL. A portal's parameter of the same name could not be
 * told apart from them.
 */
export const ROUTER_PARAMS: ReadonlySet<string> = new Set([
  'choose',
  'ask',
  'find',
  'typed',
  'again',
  'guest',
  'email',
]);
