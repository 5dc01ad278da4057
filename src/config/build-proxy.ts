import type { EnvironmentName } from '../core/names.ts';
import { DEFAULT_PROXY, type ProxySettings } from '../proxy/settings.ts';
import { seconds, textFor } from './built-values.ts';
import type { EnvironmentEntry } from './schema.ts';
import type { Secrets } from './secrets.ts';
import { parseSize } from './size.ts';

/** `proxy` of an environment, faultless. */
export function buildProxy(
  environment: EnvironmentName,
  proxy: NonNullable<EnvironmentEntry['proxy']>,
  publicOrigin: string,
  secrets: Secrets,
): ProxySettings {
  const { host, ca, max_body: maxBody = '', timeout } = proxy;
  const { protocol, port } = new URL(publicOrigin);
  return {
    environment,
    host,
    origin: `${protocol}//${host}${port === '' ? '' : `:${port}`}`,
    upstream: new URL(proxy.upstream).origin,
    paths: proxy.paths,
    tells: proxy.tells ?? DEFAULT_PROXY.tells,
    ...(ca && { ca: textFor(ca, secrets) }),
    maxBody: parseSize(maxBody) ?? DEFAULT_PROXY.maxBody,
    timeout: timeout === undefined ? DEFAULT_PROXY.timeout : seconds(timeout),
  };
}
