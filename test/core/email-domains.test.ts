import fc from 'fast-check';
import t from 'tap';
import { type DomainClaim, indexDomains, openEmailDomains, parentDomains } from '../../src/core/email-domains.ts';

const claim = (domain: string, subdomains = false): DomainClaim => ({ domain, subdomains });

t.test('the most specific claim answers alone', (t) => {
  const index = indexDomains([
    [claim('acme.test', true), 'acme'],
    [claim('eu.acme.test'), 'eu'],
    [claim('de.eu.acme.test', true), 'de'],
    [claim('acme.test'), 'other'],
    [claim('x.test'), 'x'],
    [claim('x.test', true), 'x'],
  ]);
  // biome-ignore format: a table
  const rows = [
    ['acme.test', ['acme', 'other']], ['a.acme.test', ['acme']], ['eu.acme.test', ['eu']], ['a.eu.acme.test', ['acme']], ['de.eu.acme.test', ['de']], ['a.de.eu.acme.test', ['de']],
    ['x.test', ['x']], ['a.x.test', ['x']], ['test', undefined], ['evilacme.test', undefined], ['', undefined],
  ] as const;
  for (const [domain, found] of rows) t.strictSame(index.get(domain), found, domain);
  t.end();
});

t.test('parents are cut at dots only', (t) => {
  t.strictSame([...parentDomains('a.b.test')], ['b.test', 'test']);
  t.strictSame([...parentDomains('test')], []);
  t.end();
});

t.test('what is admitted is a claim or ends with one, behind a dot, by its own word', (t) => {
  const label = fc.constantFrom('a', 'b', 'ab', 'test', 'xn--a');
  const domain = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
  const claims = fc.array(fc.record({ domain, subdomains: fc.boolean() }), { maxLength: 5 });
  fc.assert(
    fc.property(claims, domain, (own, asked) => {
      const expected = own.some((one) => asked === one.domain || (one.subdomains && asked.endsWith(`.${one.domain}`)));
      return openEmailDomains(own).admits(asked) === expected;
    }),
    { numRuns: 5_000 },
  );
  t.end();
});
