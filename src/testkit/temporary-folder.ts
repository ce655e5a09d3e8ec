import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd, type Scope } from './scope.ts';

/** A new folder that goes with the scope. */
export function temporaryFolder(scope: Scope, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `tandem-${name}-`));
  atEnd(scope, () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}
