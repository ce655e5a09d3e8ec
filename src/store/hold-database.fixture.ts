import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

// Holds a database file as one that recovers it after a crash does, says so, and lets go after a while by itself.
const { path, forMs } = workerData as { readonly path: string; readonly forMs: number };
const database = new DatabaseSync(path);
database.exec('PRAGMA locking_mode = EXCLUSIVE');
database.exec('BEGIN EXCLUSIVE');
parentPort?.postMessage('held');
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
database.exec('COMMIT');
database.close();
