/** nginx and haproxy as peers: Debian packages, one process each, set up as somebody who wants them fast would. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Program } from './server.ts';

export type WebServer = {
  /** Its name, and its Debian package's. */
  readonly name: 'nginx' | 'haproxy';
  /** Writes its settings into a folder that is its own; it listens on `port` and passes everything on. */
  configure(folder: string, port: number, upstreamPort: number): Program;
};

/** Where Debian puts daemons, which is not on everybody's PATH. */
const SBIN = '/usr/sbin';

export const isInstalled = ({ name }: WebServer): boolean => {
  try {
    execFileSync(join(SBIN, name), ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** Nobody listens there now. Neither of the two can be told to choose a port and to say which. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const NGINX: WebServer = {
  name: 'nginx',
  configure(folder, port, upstreamPort) {
    const file = join(folder, 'nginx.conf');
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, nginxConf(port, upstreamPort));
    return { name: 'nginx', command: join(SBIN, 'nginx'), args: ['-p', folder, '-c', file, '-e', 'stderr'], port };
  },
};

export const HAPROXY: WebServer = {
  name: 'haproxy',
  configure(folder, port, upstreamPort) {
    const file = join(folder, 'haproxy.cfg');
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, haproxyCfg(port, upstreamPort));
    return { name: 'haproxy', command: join(SBIN, 'haproxy'), args: ['-db', '-f', file], port };
  },
};

/** Without a master there is one process to watch and to end; requests take the same way. */
const nginxConf = (port: number, upstreamPort: number): string => `daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream environment {
    server 127.0.0.1:${upstreamPort};
    keepalive 128;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://environment;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;
      proxy_buffer_size 16k;
      proxy_buffers 16 64k;
      proxy_busy_buffers_size 256k;
    }
  }
}
`;

const haproxyCfg = (port: number, upstreamPort: number): string => `global
  nbthread 1
  maxconn 1024
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
frontend browsers
  bind 127.0.0.1:${port}
  http-request set-header X-Forwarded-For %[src]
  default_backend environment
backend environment
  http-reuse always
  server environment 127.0.0.1:${upstreamPort}
`;
