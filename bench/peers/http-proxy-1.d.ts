/** The package brings no types of its own. */
declare module 'http-proxy-1' {
  import type { Agent, IncomingMessage, ServerResponse } from 'node:http';

  const httpProxy: {
    createProxyServer(options: { target: string; agent?: Agent }): {
      web(request: IncomingMessage, response: ServerResponse): void;
    };
  };
  export default httpProxy;
}
