import { mkdir, readFile, writeFile } from 'node:fs/promises';

const page = await readFile('page.html', 'utf8');
await mkdir('dist', { recursive: true });
await writeFile('dist/page.html', page.replace('{{built}}', new Date().toISOString()));
console.log('dist/page.html');
