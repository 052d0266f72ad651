import { describe, expect, it } from 'vitest';
import { newerOf } from '../platforms/incus/format.ts';
import { showNewer, upgradeTo } from './newer.ts';

const instance = (name: string, format?: string, tool?: string) => ({
  name,
  config: {
    ...(format === undefined ? {} : { 'user.mooring.format': format }),
    ...(tool === undefined ? {} : { 'user.mooring.tool': tool }),
  },
});

describe('the format of an instance', () => {
  it('is known where it is not marked, and where it is not above this one', () => {
    expect(newerOf([instance('a'), instance('b', '1', 'nx-mooring 0.1.0')])).toEqual([]);
  });

  it.each(['2', '10', '99999999999999999999', '0', '01', '+1', '1.5', '', 'one'])('%j is not known', (format) => {
    expect(newerOf([instance('a'), instance('b', format)])).toEqual([{ instance: 'b', format, tool: undefined }]);
  });

  it('is told with the instance, and with the tool that wrote it', () => {
    const newer = newerOf([instance('a', '2', 'nx-mooring 0.9.0'), instance('b', 'x')]);
    expect(showNewer(newer)).toBe(
      'a is of format 2, by nx-mooring 0.9.0; b is of format x, by an unknown tool; nx-mooring 0.1.0 knows format 1',
    );
  });

  it.each([
    [[instance('a', '2', 'nx-mooring 0.9.0'), instance('b', '10', 'nx-mooring 1.2.0-rc.1')], ' to 1.2.0-rc.1 or newer'],
    [[instance('a', '2', 'nx-mooring 0.9.0'), instance('b', '3', 'some text')], ' to 0.9.0 or newer'],
    [[instance('a', '2')], ''],
  ])('says which version to upgrade to', (instances, version) => {
    expect(upgradeTo(newerOf(instances))).toBe(`upgrade nx-mooring${version}: npm i -D nx-mooring@latest`);
  });
});
