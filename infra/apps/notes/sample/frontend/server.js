import { readFile } from 'node:fs/promises';
import { createServer, get } from 'node:http';

const page = await readFile(new URL('dist/page.html', import.meta.url), 'utf8');
const asText = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const server = createServer((_, response) => {
  const failed = () => response.writeHead(502, { 'content-type': 'text/plain' }).end('the back end does not answer\n');
  get({ host: '127.0.0.1', port: Number(process.env.BACKEND_PORT), path: '/notes' }, async (reply) => {
    let text = '';
    for await (const part of reply.setEncoding('utf8')) text += part;
    if (reply.statusCode !== 200) return failed();
    const items = JSON.parse(text).map((note) => `<li>${asText(note.text)}</li>`);
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page.replace('{{notes}}', () => items.join('\n')));
  }).on('error', failed);
});

server.listen(Number(process.env.PORT), () => console.log(`listening on ${process.env.PORT}`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
