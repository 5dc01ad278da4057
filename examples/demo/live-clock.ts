/** A clock on a login page that ticks over a WebSocket, so that one is seen to pass the router. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { type Html, html } from './html.ts';

export const LIVE_CLOCK_PATH = '/live';

/** What the login page shows, and the script that fills it in. */
export const LIVE_CLOCK: { readonly extra: Html; readonly script: string } = {
  extra: html`<p class="soft">The clock in our data centre says <span id="clock">…</span>, over a WebSocket.</p>`,
  script: `
const socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '${LIVE_CLOCK_PATH}');
socket.onmessage = ({ data }) => { document.getElementById('clock').textContent = data; };
`,
};

export type LiveClock = {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): void;
};

/** Tells the time at once and every second. */
export function openLiveClock(): LiveClock {
  const server = new WebSocketServer({ noServer: true });
  const time = (): string => new Date().toISOString().slice(11, 19);
  const ticking = setInterval(() => {
    for (const client of server.clients) client.send(time());
  }, 1000);
  return {
    upgrade(request, socket, head) {
      if (request.url !== LIVE_CLOCK_PATH) socket.destroy();
      else server.handleUpgrade(request, socket, head, (client) => client.send(time()));
    },
    close() {
      clearInterval(ticking);
      for (const client of server.clients) client.terminate();
    },
  };
}
