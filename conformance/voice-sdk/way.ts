import type { TestContext } from 'node:test';
import type { Tandem } from '../../src/testkit/tandem-process.ts';
import { World, type WorldBrowserOptions } from '../browser-world.ts';

/** How the vendor's SDK finds this place. */
export interface Way {
  /** Of the server's doors; default 127.0.0.1. */
  readonly address?: string;
  readonly serverFlags: readonly string[];
  readonly browser: WorldBrowserOptions;
  /** Once the server runs. */
  prepare(tandem: Tandem): Promise<void>;
  /** Options of `new Device` without which the SDK would go elsewhere. */
  deviceOptions(tandem: Tandem): object;
  /** Where the SDK is told to load its sounds from; empty: it is not told. */
  soundsUrl(tandem: Tandem): string;
  /** Hosts that pages and the browser itself may name. */
  readonly hosts: readonly string[];
}

export async function startWorld(context: TestContext, way: Way, config: object = {}): Promise<World> {
  const { serverFlags: flags, address = '127.0.0.1' } = way;
  const world = await World.start(context, config, { flags, address });
  await way.prepare(world.tandem);
  return world;
}
