/**
 * What systemd could not give a unit, by the exit code that it then ends with in the unit's place (systemd.exec(5), "Process exit codes").
 * Hosts differ in what they let a container do: mount namespaces need `security.nesting` on many of them.
 */
const FAILURES: Readonly<Record<number, string>> = {
  200: 'CHDIR: its folder',
  201: 'NICE: a lower priority',
  202: 'FDS: its open files',
  203: 'EXEC: a shell',
  204: 'MEMORY: enough memory',
  205: 'LIMITS: its limits',
  206: 'OOM_ADJUST: the first place for the OOM killer',
  207: 'SIGNAL_MASK: its signals',
  208: 'STDIN: its input',
  209: 'STDOUT: its output',
  210: 'CHROOT: a root folder',
  211: 'IOPRIO: a priority for the disk',
  212: 'TIMERSLACK: its timers',
  213: 'SECUREBITS: fewer rights',
  214: 'SETSCHEDULER: a lower priority',
  215: 'CPUAFFINITY: its processors',
  216: 'GROUP: a group of its own',
  217: 'USER: a user of its own',
  218: 'CAPABILITIES: fewer rights',
  219: 'CGROUP: a control group',
  220: 'SETSID: a session',
  221: 'CONFIRM: a confirmation',
  222: 'STDERR: its output',
  224: 'PAM: a session',
  225: 'NETWORK: a network of its own',
  226: 'NAMESPACE: a view of the file system of its own',
  227: 'NO_NEW_PRIVILEGES: fewer rights',
  228: 'SECCOMP: a filter of system calls',
  229: 'SELINUX_CONTEXT: a security context',
  230: 'PERSONALITY: an architecture',
  231: 'APPARMOR_PROFILE: a profile of AppArmor',
  232: 'ADDRESS_FAMILIES: a filter of networks',
  233: 'RUNTIME_DIRECTORY: a folder',
  235: 'CHOWN: a socket',
  236: 'SMACK_PROCESS_LABEL: a security label',
  237: 'KEYRING: a key ring',
  238: 'STATE_DIRECTORY: a folder',
  239: 'CACHE_DIRECTORY: a folder',
  240: 'LOGS_DIRECTORY: a folder',
  241: 'CONFIGURATION_DIRECTORY: a folder',
  242: 'NUMA_POLICY: its memory',
  243: 'CREDENTIALS: the files that only some may read',
  245: 'BPF: a filter of system calls',
};

/** Why a transient unit gave no answer of its own, by the exit code of `systemd-run --wait`. */
export function whyNoAnswer(code: number): string {
  const failure = FAILURES[code];
  if (failure !== undefined) {
    const [name, what] = failure.split(': ');
    return `the container's systemd could not give the sandbox ${what} (${code}/${name}); the container may not be allowed to`;
  }
  // systemd-run(1): a unit that was ended by a signal. RuntimeMaxSec= and the OOM killer end it so.
  if (code === 255 || code === 137) return 'it was ended before it had an answer: it took too long, or more memory than it may have';
  return code === 124 ? 'it took too long' : `it took too long, or failed without a word (exit code ${code})`;
}
