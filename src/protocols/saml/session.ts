/** Whom a provider signed in, in its own words: what a LogoutRequest has to say (SAML Core §3.7.1). */
export type SamlSession = {
  readonly nameId: string;
  readonly format: string | undefined;
  readonly nameQualifier: string | undefined;
  readonly spNameQualifier: string | undefined;
  readonly index: string | undefined;
};

/** As it is kept in a visit: short, since it travels in a cookie. */
export function writeSession({ nameId, index, format, nameQualifier, spNameQualifier }: SamlSession): string {
  return JSON.stringify([nameId, index ?? 0, format ?? 0, nameQualifier ?? 0, spNameQualifier ?? 0]);
}

/** `undefined` for what is no session of this protocol (the environment may have spoken another one before). */
export function readSession(text: string): SamlSession | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts) || typeof parts[0] !== 'string') return undefined;
  const [nameId, index, format, nameQualifier, spNameQualifier] = parts.map((part) => (part === 0 ? undefined : part));
  return { nameId, index, format, nameQualifier, spNameQualifier };
}
