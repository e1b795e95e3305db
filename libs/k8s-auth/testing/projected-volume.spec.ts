import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from './fake-clock.js';
import { ProjectedVolume, type ProjectedVolumeOptions, type Rotation } from './projected-volume.js';

const TEN_MINUTES = 600;

describe('ProjectedVolume', () => {
  let root: string;
  let clock: FakeClock;
  let issued: number;
  const volumes: ProjectedVolume[] = [];

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'projected-volume-'));
    clock = new FakeClock(Date.UTC(2030, 0, 2, 3, 4, 5));
    issued = 0;
  });

  afterEach(() => {
    for (const volume of volumes.splice(0)) volume.close();
    rmSync(root, { recursive: true, force: true });
  });

  function mount(options: Partial<ProjectedVolumeOptions> = {}): ProjectedVolume {
    const volume = new ProjectedVolume({
      directory: join(root, 'tokens'),
      path: 'service2',
      expirationSeconds: TEN_MINUTES,
      issue: () => `token-${++issued}`,
      clock,
      ...options,
    });
    volumes.push(volume);
    return volume;
  }

  it('has the layout of a kubelet volume', () => {
    const { directory, tokenFile } = mount();
    const data = readlinkSync(join(directory, '..data'));
    expect(readlinkSync(tokenFile)).toBe('..data/service2');
    expect(data).toMatch(/^\.\.2030_01_02_03_04_05\.[A-Za-z0-9]+$/);
    expect(readdirSync(directory).sort()).toEqual(['..data', data, 'service2'].sort());
    expect(statSync(tokenFile).mode & 0o777).toBe(0o644);
    expect(statSync(join(directory, data)).mode & 0o777).toBe(0o755);
  });

  it('rotates at 80 % of the lifetime, not before, by swapping ..data', async () => {
    const volume = mount();
    const before = readlinkSync(join(volume.directory, '..data'));
    const visible = lstatSync(volume.tokenFile).ino;
    await clock.advance(480_000 - 1);
    expect(volume.current()).toBe('token-1');
    await clock.advance(1);
    expect(volume.current()).toBe('token-2');
    expect(readlinkSync(join(volume.directory, '..data'))).not.toBe(before);
    expect(readdirSync(volume.directory)).toHaveLength(3);
    // A watcher of the visible file sees no change: only the link to its directory has changed.
    expect(lstatSync(volume.tokenFile).ino).toBe(visible);
  });

  it('keeps rotating after the first rotation', async () => {
    const volume = mount();
    await clock.advance(3 * 480_000);
    expect(volume.current()).toBe('token-4');
  });

  it('rotates after at most one day', async () => {
    const volume = mount({ expirationSeconds: 10 * 24 * 3600 });
    await clock.advance(24 * 3_600_000 - 1);
    expect(volume.current()).toBe('token-1');
    await clock.advance(1);
    expect(volume.current()).toBe('token-2');
  });

  it('rotates on request, and starts a full lifetime then', async () => {
    const volume = mount();
    await clock.advance(400_000);
    volume.rotate();
    expect(volume.current()).toBe('token-2');
    await clock.advance(479_999);
    expect(volume.current()).toBe('token-2');
    await clock.advance(1);
    expect(volume.current()).toBe('token-3');
  });

  it('rotates only on request when automatic rotation is off', async () => {
    const volume = mount({ autoRotate: false });
    await clock.advance(3_600_000);
    expect(volume.current()).toBe('token-1');
    volume.rotate();
    await clock.advance(3_600_000);
    expect(volume.current()).toBe('token-2');
    expect(clock.pendingTimers).toBe(0);
  });

  it('reports each rotation, without the token', async () => {
    const rotations: Rotation[] = [];
    mount({ onRotate: (rotation) => rotations.push(rotation) });
    await clock.advance(960_000);
    expect(rotations).toEqual([
      { count: 1, expiresAtMs: Date.UTC(2030, 0, 2, 3, 4, 5) + 480_000 + 600_000 },
      { count: 2, expiresAtMs: Date.UTC(2030, 0, 2, 3, 4, 5) + 960_000 + 600_000 },
    ]);
  });

  it('keeps the old token while no new one can be issued, and tries again', async () => {
    let isAway = false;
    const volume = mount({
      issue: () => {
        if (isAway) throw new Error('API server is unreachable');
        return `token-${++issued}`;
      },
    });
    isAway = true;
    await clock.advance(3_600_000);
    expect(volume.current()).toBe('token-1');
    isAway = false;
    await clock.advance(60_000);
    expect(volume.current()).toBe('token-2');
    isAway = true;
    expect(() => volume.rotate()).toThrow('API server is unreachable');
  });

  it('cannot be created without a first token', () => {
    const issue = () => {
      throw new Error('serviceaccounts "x" not found');
    };
    expect(() => mount({ issue })).toThrow('serviceaccounts "x" not found');
    expect(readdirSync(root)).toEqual([]);
  });

  it('removes its directory and its timers on close', async () => {
    const volume = mount();
    volume.close();
    expect(clock.pendingTimers).toBe(0);
    volume.close();
    volume.rotate();
    await clock.advance(3_600_000);
    expect(readdirSync(root)).toEqual([]);
    expect(issued).toBe(1);
  });

  it('keeps an existing directory, and files that it did not write', () => {
    const directory = join(root, 'there');
    mkdirSync(directory);
    writeFileSync(join(directory, 'mine'), 'untouched');
    const volume = mount({ directory });
    volume.rotate();
    volume.close();
    expect(readdirSync(directory)).toEqual(['mine']);
    expect(readFileSync(join(directory, 'mine'), 'utf8')).toBe('untouched');
  });
});
