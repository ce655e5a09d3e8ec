// The thread that writes to the database file: it waits for the disk, so that the thread with the sockets need not.
import { parentPort, workerData } from 'node:worker_threads';
import { openWritingConnection, SqliteWriter, type WriterOptions } from './sqlite-writer.ts';
import type { WriteStatement } from './store.ts';
import type { WriteOutcome } from './write-gate.ts';
import type { FromThread, SentGroup, SentOutcome, SentStatement, ToThread } from './writing-thread-messages.ts';

const writer = new SqliteWriter(openWritingConnection(workerData as WriterOptions));
let texts: string[] = [];

parentPort?.on('message', (message: ToThread) => {
  if (message.kind === 'close') {
    writer.close();
    parentPort?.close();
    return;
  }
  if (message.forgetTexts) texts = [];
  texts.push(...message.newTexts);
  const { group } = message;
  const writes = (typeof group === 'string' ? (JSON.parse(group) as SentGroup) : group).map(statementsOf);
  const answer: FromThread = { outcomes: writer.commit(writes).map(sent) };
  parentPort?.postMessage(answer);
});

function statementsOf(sentWrite: readonly SentStatement[]): readonly WriteStatement[] {
  return sentWrite.map(([text, parameters, expectedRows]) => ({
    sql: texts[text] ?? '',
    parameters,
    ...(expectedRows === null ? {} : { expectedRows }),
  }));
}

function sent(outcome: WriteOutcome): SentOutcome {
  if (outcome.kind !== 'refused') return outcome;
  const { code, message } = outcome.error;
  return { kind: 'refused', code, message };
}
