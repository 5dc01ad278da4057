import type { OpenPortal } from './portal.ts';
import type { PortalPreset } from './preset.ts';
import { constantUrl } from './template.ts';

/** Characters of a portal's message that are handed on; what is longer is not a message. */
const LONGEST_NOTICE = 300;

/** Compiles what a preset says about signing out. */
export function planSignOut(
  { logout = {} }: PortalPreset,
  config: Readonly<Record<string, string>>,
): Pick<OpenPortal, 'signOutUrl' | 'readLogoutNotice'> {
  const { end_session_endpoint: end, post_logout_redirect_param: param, error_params: errors } = logout;
  const endUrl = end === undefined ? undefined : constantUrl(end, config);
  return {
    ...(endUrl !== undefined && {
      signOutUrl: (then) => {
        if (then === undefined || param === undefined) return endUrl;
        return `${endUrl}${endUrl.includes('?') ? '&' : '?'}${param}=${encodeURIComponent(then)}`;
      },
    }),
    ...(errors && {
      readLogoutNotice: (query) => {
        const said = errors.flatMap((name) => query.get(name)?.slice(0, LONGEST_NOTICE) || []);
        return said.length === 0 ? undefined : said.join(': ');
      },
    }),
  };
}
