/*
 * How long what the provider hands out is good for. Seconds.
 *
 * After a session is over the next authorization request goes to the environment again, which usually knows the person.
 */

/** From the last login at the environment; no use of it makes it longer. */
export const SESSION = 8 * 3_600;

/** RFC 6749 §4.1.2 recommends ten minutes at the most; the relying party comes at once. */
export const CODE = 60;

export const ACCESS_TOKEN = 3_600;

export const ID_TOKEN = 3_600;

/** From the sign-in on, through all rotations; the session may be over by then. A sign-out ends them. */
export const REFRESH = 14 * 86_400;

/** How long a browser remembers whom a sign-out has to be told to: as long as a visit. */
export const PARTY = 400 * 86_400;
