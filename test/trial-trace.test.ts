import { expect, it } from 'vitest';
import { parseTrials } from './e2e/trial-trace.ts';

/** As strace 6.1 writes it, shortened. */
const TRIAL = `openat(AT_FDCWD</>, "/run/systemd/unit-root/var/tmp", O_RDONLY|O_CLOEXEC|O_PATH) = 4</run/systemd/unit-root/var/tmp>
mount("/var/tmp/systemd-private-1-run-u1.service-a/tmp", "/proc/self/fd/4", NULL, MS_BIND|MS_REC, NULL) = 0
openat(AT_FDCWD</>, "/sys/fs/cgroup/system.slice/run-u1.service/cgroup.procs", O_WRONLY|O_CLOEXEC) = 3</sys/fs/cgroup/cgroup.procs>
execve("/usr/bin/sh", ["/usr/bin/sh", "-euc", "cd \\"$(mktemp -d /var/tmp/trial.XXXXXX)\\"; program=$1; shift"..., "sh"], 0x55 /* 9 vars */) = 0
chdir("/var/tmp/trial.a")               = 0
openat(AT_FDCWD</var/tmp/trial.a>, "/etc/hosts", O_RDONLY|O_CLOEXEC) = 3</etc/hosts>
vfork()                                 = 12 /* 4012 in strace's PID NS */
+++ exited with 0 +++
`;
const CHILD = `execve("/usr/bin/touch", ["touch", "log"], 0x55 /* 9 vars */) = 0
access("/etc/ld.so.preload", R_OK)      = -1 ENOENT (No such file or directory)
openat(AT_FDCWD</var/tmp/trial.a>, "log", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 1</var/tmp/trial.a/log>
unlink("old")                           = 0
rename("a", "data/b")                   = 0
unlinkat(5</var/tmp/trial.a/data>, "c", 0) = 0
ftruncate(3</dev/shm/x>, 4096)          = 0
bind(3<UNIX-STREAM:[1]>, {sa_family=AF_UNIX, sun_path="/var/tmp/trial.a/.s"}, 110) = 0
bind(3<UDP:[2]>, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
openat(AT_FDCWD</var/tmp/trial.a>, "/etc/passwd", O_RDWR) = -1 EACCES (Permission denied)
+++ killed by SIGKILL +++
`;
/** Of no interest: what the first process of the container does. */
const SYSTEMD = 'openat(AT_FDCWD</>, "/run/x", O_WRONLY|O_CREAT, 0666) = 3</run/x>\nunlink("/run/x" <detached ...>\n';
const trace = (child = CHILD) =>
  new Map([
    [1, SYSTEMD],
    [4011, TRIAL],
    [4012, child],
  ]);

it('what a trial ran and wrote, its child processes too; what failed was not written', () => {
  expect(parseTrials(trace())).toEqual([
    {
      programs: ['/usr/bin/sh', '/usr/bin/touch'],
      mounts: { '/var/tmp': '/var/tmp/systemd-private-1-run-u1.service-a/tmp' },
      written: ['/dev/shm/x', ...['.s', 'a', 'data/b', 'data/c', 'log', 'old'].map((path) => `/var/tmp/trial.a/${path}`)],
    },
  ]);
});

it.each([
  ['through a link', 'openat(AT_FDCWD</var/tmp/trial.a>, "link", O_WRONLY|O_APPEND) = 3</var/lib/archived>', '/var/lib/archived'],
  ['by .. from its folder', 'unlink("../../lib/archived")            = 0', '/var/lib/archived'],
  ['by its mode', 'fchmodat(AT_FDCWD</var/tmp/trial.a>, "/etc/x", 0600) = 0', '/etc/x'],
  ['as a new name', 'symlink("/var/tmp/trial.a/log", "/etc/x") = 0', '/etc/x'],
])('a write elsewhere is seen: %s', (_, line, path) => {
  expect(parseTrials(trace(`${line}\n`))[0]?.written).toEqual([path]);
});

it.each([
  ['no trial', new Map([[1, SYSTEMD]]), 'no trial in the trace of 1 processes'],
  ['a child process that is missing', new Map([[4011, TRIAL]]), 'process 4012 of a trial was not traced'],
  ['a line that is not known', trace('hello\n'), 'a line of the trace is not known: hello'],
  ['a call that is not known', trace('bpf(0x0)                                = 0\n'), 'it is not known what this call writes: bpf'],
  ['a trace that ended too early', trace('unlink("x" <detached ...>\n'), 'the trace ended before process 4012'],
])('nothing is proved by %s', (_, texts, message) => {
  expect(() => parseTrials(texts)).toThrow(message);
});
