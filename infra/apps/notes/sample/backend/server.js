import { createServer } from 'node:http';
import { add, FORM, formOfNotes, notes } from './store.js';

const MAX_BYTES = 10_000;

const server = createServer(async (request, response) => {
  const answer = (code, body) => response.writeHead(code, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
  try {
    const { pathname } = new URL(request.url, 'http://localhost');
    if (request.method === 'GET' && pathname === '/health') {
      const form = await formOfNotes();
      return answer(form === FORM ? 200 : 503, { app: 'notes', environment: process.env.APP_ENVIRONMENT, form });
    }
    if (request.method === 'GET' && pathname === '/notes') return answer(200, await notes());
    if (request.method === 'POST' && pathname === '/notes') {
      let text = '';
      for await (const part of request.setEncoding('utf8')) {
        text += part;
        if (text.length > MAX_BYTES) return answer(413, { error: 'too long' });
      }
      return answer(201, await add(text));
    }
    answer(404, { error: 'no such path' });
  } catch (error) {
    console.error(error);
    answer(500, { error: 'see the log' });
  }
});

server.listen(Number(process.env.PORT), () => console.log(`listening on ${process.env.PORT}`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
