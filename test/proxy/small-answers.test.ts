import t from 'tap';
import { openStage, openUpstream } from './stage.ts';

t.test('a small answer arrives byte for byte, and one that breaks off does not arrive as whole', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 16 * 1024 }, (_, index) => index % 256));
  const upstream = await openUpstream((request, response) => {
    const length = Number(request.url?.slice(1));
    if (length < 0) {
      response.writeHead(200, { 'content-length': 10 }).write('abc');
      setImmediate(() => response.destroy());
    } else if (request.headers.accept === 'in/pieces') {
      response.writeHead(200, { 'content-length': length }).write(bytes.subarray(0, 1));
      setImmediate(() => response.end(bytes.subarray(1, length)));
    } else response.writeHead(200, { 'content-length': length }).end(bytes.subarray(0, length));
  });
  const stage = await openStage(upstream.url);
  t.teardown(() => Promise.all([stage.close(), upstream.close()]));
  for (const length of [0, 1, 256, 1024, 16 * 1024 - 1, 16 * 1024]) {
    for (const accept of length > 1 ? ['at/once', 'in/pieces'] : ['at/once']) {
      const answer = await fetch(`${stage.url}/${length}`, { headers: { accept } });
      t.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes.subarray(0, length)), `${length} ${accept}`);
    }
  }
  const broken = await fetch(`${stage.url}/-1`);
  await t.rejects(broken.arrayBuffer());
});
