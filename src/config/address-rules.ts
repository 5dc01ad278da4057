import type { Path } from './problem.ts';
import { portalsOf, type Survey } from './survey.ts';

/** Addresses of the router itself: none of these, and nothing below them. `/logout` itself is free for a portal. */
const RESERVED = ['/return', '/enter', '/backchannel-logout', '/logout-feed', '/.well-known', '/oidc', '/api'];
const RESERVED_BELOW = '/logout/';

/** Every `login_path` and `logout_path` is an address of its own, and none is the router's. */
export function checkAddresses(survey: Survey): void {
  const { report } = survey;
  const taken = new Map<string, string>();
  const check = (path: Path, address: string | undefined, owner: string) => {
    if (address === undefined) return;
    const reserved = RESERVED.find((prefix) => address === prefix || address.startsWith(`${prefix}/`));
    if (reserved !== undefined || address.startsWith(RESERVED_BELOW)) {
      report.fault(
        path,
        'is an address of the router itself',
        `Nothing at or below ${reserved ?? RESERVED_BELOW} is free.`,
      );
    }
    const other = taken.get(address);
    if (other !== undefined) report.fault(path, `is the ${other} already`, 'Give every portal paths of its own.');
    else taken.set(address, owner);
  };
  for (const { name, path, entry } of portalsOf(survey)) {
    check([...path, 'login_path'], entry.login_path, `login_path of ${name}`);
    check([...path, 'logout_path'], entry.logout_path, `logout_path of ${name}`);
  }
}
