#!/usr/bin/env node
// Serves the files of one folder over HTTP, with a list of links: what pip takes for --find-links. node test/lab/serve-folder.mjs <folder> <address> <port> <process name>
import { createReadStream, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';

const [folder = '', address, port, title] = process.argv.slice(2);
// The name by which the lab knows its process again.
process.title = title ?? 'serve-folder';
createServer((request, response) => {
  const file = basename(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname));
  const names = readdirSync(folder);
  if (file === '')
    return response.setHeader('content-type', 'text/html').end(names.map((name) => `<a href="${name}">${name}</a>\n`).join(''));
  if (!names.includes(file)) return response.writeHead(404).end();
  createReadStream(join(folder, file)).pipe(response);
}).listen(Number(port), address);
