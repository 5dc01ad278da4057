/**
 * Three network namespaces (ip-netns(8)), wired so that one machine can be reached from another one only:
 *
 *   here ── .1/24 ──── .2 ── router ── .129 ──── .130 ── environment          stranger
 *
 * Each link is a veth pair (ip-link(8)), and there is no other one: a packet for .130 leaves `here` on the link to the
 * router's machine, where nobody answers for that address, and that machine forwards nothing. The stranger has no link
 * at all. Skip the test where they cannot be made: `{ skip: without(counterparts.namespaces) }`.
 */
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';

type Machine = {
  /** Runs a command on this machine: goes before it. */
  readonly within: readonly string[];
};

export type Network = {
  /** `address`: as this machine reaches it; `inside`: as the environment does. */
  readonly router: Machine & { readonly address: string; readonly inside: string };
  readonly environment: Machine & { readonly address: string };
  readonly stranger: Machine;
};

/** Makes all of it, gone with the test. What runs in a namespace has to end before: register it later. */
export function openNetwork(t: { teardown(work: () => unknown): void }): Network {
  const id = `wh${process.pid}`;
  const names = { router: `${id}-r`, environment: `${id}-e`, stranger: `${id}-s` };
  const links = { here: `${id}h`, outer: `${id}o`, inner: `${id}i`, far: `${id}f` };
  const net = `10.${randomInt(200, 250)}.${randomInt(1, 250)}`;

  for (const name of Object.values(names)) {
    ip('netns', 'add', name);
    // A link goes with either end.
    t.teardown(() => ip('netns', 'delete', name));
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  ip('link', 'add', links.here, 'type', 'veth', 'peer', 'name', links.outer, 'netns', names.router);
  ip(
    '-n',
    names.router,
    'link',
    'add',
    links.inner,
    'type',
    'veth',
    'peer',
    'name',
    links.far,
    'netns',
    names.environment,
  );
  ip('address', 'add', `${net}.1/24`, 'dev', links.here);
  ip('-n', names.router, 'address', 'add', `${net}.2/30`, 'dev', links.outer);
  ip('-n', names.router, 'address', 'add', `${net}.129/30`, 'dev', links.inner);
  ip('-n', names.environment, 'address', 'add', `${net}.130/30`, 'dev', links.far);
  ip('link', 'set', links.here, 'up');
  ip('-n', names.router, 'link', 'set', links.outer, 'up');
  ip('-n', names.router, 'link', 'set', links.inner, 'up');
  ip('-n', names.environment, 'link', 'set', links.far, 'up');
  const inside = (name: string) => ['ip', 'netns', 'exec', name];
  // A new namespace takes this over from the machine's.
  ip('netns', 'exec', names.router, 'sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward');

  return {
    router: { within: inside(names.router), address: `${net}.2`, inside: `${net}.129` },
    environment: { within: inside(names.environment), address: `${net}.130` },
    stranger: { within: inside(names.stranger) },
  };
}

const ip = (...args: readonly string[]): void =>
  void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
