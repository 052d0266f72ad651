import { quote } from '../../engine/quote.ts';
import { shellText } from '../../shell/program.ts';
import { healthRequest } from '../health-request.ts';
import type { AppSettings } from '../settings.ts';

/** Options of every request: neither a proxy nor a .curlrc comes between, and a certificate of the application's own will do. */
const CURL = "curl -q -sS -k --noproxy '*'";
const SPEAKS = { http: '', https: '', h2c: ' --http2-prior-knowledge' };

/**
 * The part of deploy_app.sh that says whether what runs is healthy. `ask_health SECONDS` prints the body, and on a last line the status and
 * where it redirects to.
 */
export function healthFunctions(settings: AppSettings): string {
  const { port, url, host, headers } = healthRequest(settings);
  const { protocol, expect } = settings.health;
  const options = [
    ...(host === undefined ? [] : [`--connect-to ${quote(`::127.0.0.1:${port}`)}`]),
    ...Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    "-w '\\n%{http_code} %{redirect_url}'",
  ];
  return `
ask_health() {
  ${CURL}${SPEAKS[protocol]} --max-time "$1" ${options.join(' ')} ${quote(url)} 2>&1
}
expected() {
  case $1 in ${expect.map((one) => (typeof one === 'number' ? one : one.replace('xx', '??'))).join(' | ')}) ;; *) return 1 ;; esac
}
# answers PORT: whether anything that is HTTP answers there.
answers() {
  ${CURL} --max-time 5 -o /dev/null "http://127.0.0.1:$1/" 2>&1 ||
    ${CURL} --max-time 5 -o /dev/null "https://127.0.0.1:$1/" 2>/dev/null ||
    ${CURL} --max-time 5 -o /dev/null${SPEAKS.h2c} "http://127.0.0.1:$1/" 2>/dev/null
}
${shellText(import.meta.url, 'deploy-probe.sh')}`;
}
