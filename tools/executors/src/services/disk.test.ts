import { describe, expect, it } from 'vitest';
import { fullness } from './disk.ts';

describe('how full a disk is', () => {
  it.each([
    [' 17%    3%', []],
    [' 84%    -', []],
    [' 85%    -', ['the disk of /data is 85 % full']],
    ['100%  99%', ['the disk of /data is 100 % full', 'the disk of /data has used 99 % of its inodes']],
  ])('%j: %j', (line, reasons) => {
    expect(fullness(line, '/data')).toEqual(reasons);
  });

  it.each(['', 'Use%', '1e2% -', ' 17%'])('refuses %j', (line) => {
    expect(() => fullness(line, '/data')).toThrow('df gave a line about /data that is not known');
  });
});
