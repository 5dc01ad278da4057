/** An entry of `email_domains`: one domain, in the form of `parseDomain`, and whether every name below it counts too. */
export type DomainClaim = { readonly domain: string; readonly subdomains: boolean };

/** The domains of one environment, prepared for asking. */
export type EmailDomains = {
  /** Entries as the operator wrote them, in the order of the file. */
  readonly claims: readonly DomainClaim[];
  /** Whether an email's domain, in the form of `parseDomain`, is one of them: itself, or below one by its own word. */
  admits(domain: string): boolean;
};

/** Prepares the entries of one environment. */
export function openEmailDomains(claims: readonly DomainClaim[]): EmailDomains {
  const named = new Map<string, boolean>();
  for (const { domain, subdomains } of claims) named.set(domain, subdomains || named.get(domain) === true);
  return {
    claims,
    admits(domain) {
      if (named.has(domain)) return true;
      for (const parent of parentDomains(domain)) if (named.get(parent)) return true;
      return false;
    },
  };
}

/** What belongs to a domain; a plain `Map` is an index without subdomains. */
export type DomainIndex<Value> = { get(domain: string): readonly Value[] | undefined };

/**
 * An index of what belongs to each claim. The most specific claim answers alone: that of the domain itself, else that
 * of its nearest parent whose subdomains are included. A question costs one look-up a label, however many claims
 * there are.
 */
export function indexDomains<Value>(entries: Iterable<readonly [DomainClaim, Value]>): DomainIndex<Value> {
  const named = new Map<string, Value[]>();
  const below = new Map<string, Value[]>();
  for (const [{ domain, subdomains }, value] of entries) {
    append(named, domain, value);
    if (subdomains) append(below, domain, value);
  }
  if (below.size === 0) return named;
  return {
    get(domain) {
      const own = named.get(domain);
      if (own) return own;
      for (const parent of parentDomains(domain)) {
        const found = below.get(parent);
        if (found) return found;
      }
      return undefined;
    },
  };
}

/** `a.b.test` → `b.test`, `test`: only whole labels are cut, so `evilacme.com` has nothing to do with `acme.com`. */
export function* parentDomains(domain: string): Generator<string> {
  for (let dot = domain.indexOf('.'); dot !== -1; dot = domain.indexOf('.', dot + 1)) yield domain.slice(dot + 1);
}

/** One environment's entries come together, so a domain that it names twice is at the end. */
function append<Value>(index: Map<string, Value[]>, domain: string, value: Value): void {
  const known = index.get(domain);
  if (!known) index.set(domain, [value]);
  else if (known.at(-1) !== value) known.push(value);
}
