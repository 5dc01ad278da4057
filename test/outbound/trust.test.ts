import type { TLSSocket } from 'node:tls';
import t from 'tap';
import type { Trust } from '../../src/outbound/outbound.ts';
import { kindOf, open, resolveTo } from './attempts.ts';
import {
  AUTHORITY,
  CLIENT_CERTIFICATE,
  CLIENT_KEY,
  SERVER_CERTIFICATE,
  SERVER_KEY,
  STRANGER_CERTIFICATE,
  STRANGER_KEY,
} from './private-authority.ts';
import { serveTls } from './servers.ts';

const server = { cert: SERVER_CERTIFICATE, key: SERVER_KEY };
const ours = { certificate: CLIENT_CERTIFICATE, privateKey: CLIENT_KEY };
const stranger = { certificate: STRANGER_CERTIFICATE, privateKey: STRANGER_KEY };
const trusting: Trust = { allowPrivate: true, ca: AUTHORITY };

t.test(
  'a server of a private authority is reached by the caller that was given the authority, and by no other',
  async (t) => {
    const { port } = await serveTls(t, (_, response) => response.end('{}'), server);
    const outbound = open(t, { lookup: resolveTo('127.0.0.1') });
    const globex = outbound.callerFor('globex', trusting);
    const us = outbound.callerFor('us', { allowPrivate: true });
    for (const host of ['id.globex.test', '127.0.0.1']) {
      t.equal(await kindOf(globex.call({ url: `https://${host}:${port}/` })), 'answered', host);
      t.equal(await kindOf(us.call({ url: `https://${host}:${port}/` })), 'tls', `${host}, for another environment`);
    }
    t.equal(await kindOf(globex.call({ url: `https://other.globex.test:${port}/` })), 'tls', 'another name');
    // In place of the system's authorities, not beside them: `ca` alone decides.
    const pinned = outbound.callerFor('pinned', { allowPrivate: true, ca: STRANGER_CERTIFICATE });
    t.equal(await kindOf(pinned.call({ url: `https://id.globex.test:${port}/` })), 'tls', 'another authority');
  },
);

t.test('a server that asks for a certificate is reached with one that it accepts', async (t) => {
  const seen: unknown[] = [];
  const options = { ...server, ca: AUTHORITY, requestCert: true, rejectUnauthorized: true };
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { url } = await serveTls(
      t,
      (request, response) => {
        seen.push((request.socket as TLSSocket).getPeerCertificate().subject.CN);
        response.end('{}');
      },
      { ...options, maxVersion },
    );
    const outbound = open(t);
    const withOurs = outbound.callerFor('globex', { ...trusting, clientCertificate: ours });
    t.equal(await kindOf(withOurs.call({ url })), 'answered', maxVersion);
    t.equal(await kindOf(withOurs.call({ url, method: 'POST' })), 'answered', `${maxVersion}, with a resumed session`);
    const without = await kindOf(outbound.callerFor('globex', trusting).call({ url }));
    t.ok(['tls', 'network'].includes(without), `${maxVersion}, without one: ${without}`);
    const strange = outbound.callerFor('globex', { ...trusting, clientCertificate: stranger });
    t.ok(['tls', 'network'].includes(await kindOf(strange.call({ url }))), `${maxVersion}, with a stranger's`);
  }
  t.same(seen, ['wayhome', 'wayhome', 'wayhome', 'wayhome']);
});

t.test('a certificate that does not fit its key fails as TLS and harms no other caller', async (t) => {
  const { url } = await serveTls(t, (_, response) => response.end('{}'), server);
  const outbound = open(t);
  const broken = outbound.callerFor('us', {
    ...trusting,
    clientCertificate: { certificate: CLIENT_CERTIFICATE, privateKey: STRANGER_KEY },
  });
  t.equal(await kindOf(broken.call({ url })), 'tls');
  await broken.close();
  t.equal(await kindOf(outbound.callerFor('globex', trusting).call({ url })), 'answered');
});
