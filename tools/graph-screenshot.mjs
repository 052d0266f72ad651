// Draws `nx graph` of this workspace as docs/images/graph.png, in a headless Chromium (apt-get install chromium). Run by hand,
// after a change of what the graph shows: npm run graph:screenshot
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const picture = join(root, 'docs/images/graph.png');
const SIZE = { width: 1400, height: 900 };
const PATIENCE_MS = 60_000;
/** What is drawn: the tasks of `nx run-many -t configure`, of the data containers. */
const VIEW = '/tasks?targets=configure&projects=minio postgres rabbitmq redis';
/** Hides what lies above the graph, and gives the place of what is drawn of it. */
const BARE = `(() => {
  const graph = document.querySelector('#cytoscape-graph');
  for (const element of document.querySelectorAll('#app *'))
    if (!element.contains(graph) && !graph.contains(element)) element.style.visibility = 'hidden';
  const [xs, ys] = [[], []];
  for (const canvas of graph.querySelectorAll('canvas')) {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 3; i < data.length; i += 4) {
      if (data[i] === 0) continue;
      xs.push((((i - 3) / 4) % canvas.width) / devicePixelRatio);
      ys.push(Math.floor((i - 3) / 4 / canvas.width) / devicePixelRatio);
    }
  }
  const edge = (all, pick) => all.reduce((a, b) => pick(a, b));
  const { left, top } = graph.getBoundingClientRect();
  const [x, y] = [edge(xs, Math.min), edge(ys, Math.min)];
  const [width, height] = [edge(xs, Math.max) - x, edge(ys, Math.max) - y];
  return JSON.stringify({ x: left + x - 20, y: top + y - 20, width: width + 40, height: height + 40 });
})()`;

const scratch = mkdtempSync(join(tmpdir(), 'mooring-graph-'));
const server = await serve(scratch);
const browser = spawn(
  'chromium',
  [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--hide-scrollbars',
    '--force-device-scale-factor=2',
    '--remote-debugging-port=0',
    `--window-size=${SIZE.width},${SIZE.height}`,
    `--user-data-dir=${join(scratch, 'profile')}`,
  ],
  { stdio: 'ignore' },
);
browser.on('error', (error) => console.error(`chromium: ${error.message}\n  next: apt-get install chromium`));
try {
  exportGraph(join(scratch, 'graph.html'));
  const page = await openPage();
  await page('Page.navigate', {
    url: `http://127.0.0.1:${server.address().port}/graph.html#${VIEW.replaceAll(' ', '%20')}`,
  });
  await drawn(page);
  const { data } = await picturedBy(page);
  mkdirSync(dirname(picture), { recursive: true });
  writeFileSync(picture, Buffer.from(data, 'base64'));
  console.log(`written: ${picture}`);
} finally {
  server.close();
  server.closeAllConnections();
  const gone = browser.pid === undefined ? undefined : new Promise((resolve) => browser.once('close', resolve));
  browser.kill();
  await gone;
  rmSync(scratch, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}
// The socket to the browser would keep this process.
process.exit();

/** What `nx graph` would open, as a page with its scripts beside it. */
function exportGraph(file) {
  const nx = join(root, 'node_modules/.bin/nx');
  const { status, stderr } = spawnSync(nx, ['graph', '--targets=configure', `--file=${file}`], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NX_DAEMON: 'false' },
  });
  if (status !== 0) throw new Error(`nx graph: exit code ${status}: ${stderr}`);
}

/** Serves a folder on this machine: the page's router wants no file: address. */
function serve(folder) {
  const types = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
  const made = createServer(({ url = '/' }, response) => {
    const path = new URL(url, 'http://localhost').pathname;
    try {
      const content = readFileSync(join(folder, path));
      response.writeHead(200, { 'content-type': types[path.split('.').at(-1)] ?? 'application/octet-stream' }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => made.listen(0, '127.0.0.1', () => resolve(made)));
}

/** A function that asks the browser's page by the DevTools protocol and gives its answer. */
async function openPage() {
  const port = await until('the browser', () => readFileSync(join(scratch, 'profile/DevToolsActivePort'), 'utf8').split('\n')[0]);
  const pages = await until('its page', async () => {
    const all = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
    return all.filter(({ type }) => type === 'page');
  });
  const socket = new WebSocket(pages[0].webSocketDebuggerUrl);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const waiting = new Map();
  socket.onmessage = ({ data }) => {
    const { id, result, error } = JSON.parse(data);
    waiting.get(id)?.(error === undefined ? result : Promise.reject(new Error(error.message)));
  };
  let last = 0;
  return (method, params) =>
    new Promise((resolve) => {
      waiting.set(++last, resolve);
      socket.send(JSON.stringify({ id: last, method, params }));
    });
}

/** Waits until the graph is drawn and has come to rest: two pictures, a second apart, are the same. */
async function drawn(page) {
  let before;
  await until('the graph', async () => {
    const { data } = await picturedBy(page);
    const same = data === before;
    before = data;
    return same || undefined;
  });
}

/** A picture of the graph alone, without the controls beside it. Fails while there is none. */
async function picturedBy(page) {
  const { result } = await page('Runtime.evaluate', { expression: BARE });
  const { x, y, width, height } = JSON.parse(result.value);
  return page('Page.captureScreenshot', { format: 'png', clip: { x, y, width, height, scale: 1 } });
}

/** Asks once a second until there is an answer. */
async function until(what, ask) {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const answer = await Promise.resolve()
      .then(ask)
      .catch(() => undefined);
    if (answer !== undefined && answer.length !== 0) return answer;
    await wait(1000);
  }
  throw new Error(`${what} did not come within ${PATIENCE_MS / 1000} s`);
}
