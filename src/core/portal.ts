import type { EnvironmentName, PortalName } from './names.ts';

/** The service that knows one Remote Login URL: what decisions need to know about it. */
export type Portal = {
  readonly name: PortalName;
  readonly title: string;
  /** The environments whose people may come in, in the order of the file. */
  readonly environments: ReadonlySet<EnvironmentName>;
};

/** One login as the portal (or a link in an app) asked for it, checked against the portal's preset. */
export type PortalRequest = {
  readonly portal: PortalName;
  /** `portal`: the portal sent the person here. `platform`: a link in an environment's app did. */
  readonly initiated: 'portal' | 'platform';
  /** The preset's inbound parameters, validated, their bytes unchanged. */
  readonly params: Readonly<Record<string, string>>;
};
