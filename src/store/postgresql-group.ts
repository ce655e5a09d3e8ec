import type pg from 'pg';
import { checkedValues } from './bound-values.ts';
import { checkExpectedRows } from './expected-rows.ts';
import { GroupCutOff, leavesDoubt } from './postgresql-doubt.ts';
import { isConflict, postgresqlStoreError } from './postgresql-error.ts';
import { StoreError } from './store-error.ts';
import type { WriteResult, WriteStatement } from './store.ts';
import type { WriteOutcome } from './write-gate.ts';

/** How often a write that met another session's locks runs again, alone, before it is refused. */
export const MAX_CONFLICT_ATTEMPTS = 5;

type Writes = readonly (readonly WriteStatement[])[];

class Conflict extends Error {}

// The transaction's number tells its fate when the answer to its COMMIT is lost.
const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED; SELECT txid_current() AS transaction; SAVEPOINT one_write';

/**
 * One transaction for the group, a savepoint for each write. When another session is in the way (deadlock,
 * serialization) the writes run again one by one, each in a transaction of its own. Throws GroupCutOff when the connection breaks.
 */
export async function commitOnPostgresql(client: pg.PoolClient, group: Writes): Promise<readonly WriteOutcome[]> {
  for (let attempt = 1; attempt <= MAX_CONFLICT_ATTEMPTS; attempt += 1) {
    try {
      return await runGroup(client, group);
    } catch (error) {
      if (error instanceof GroupCutOff) throw error;
      if (!(error instanceof Conflict)) throw new GroupCutOff(error, [], undefined);
      await client.query('ROLLBACK');
    }
    if (group.length > 1) return runOneByOne(client, group);
  }
  const error = new StoreError(
    'failed',
    `PostgreSQL: the write met other sessions' locks ${MAX_CONFLICT_ATTEMPTS} times`,
  );
  return group.map(() => ({ kind: 'refused', error }));
}

async function runOneByOne(client: pg.PoolClient, group: Writes): Promise<readonly WriteOutcome[]> {
  const outcomes: WriteOutcome[] = [];
  for (const statements of group) {
    try {
      outcomes.push(...(await commitOnPostgresql(client, [statements])));
    } catch (error) {
      if (error instanceof GroupCutOff) throw new GroupCutOff(error.cause, outcomes, error.doubt);
      throw error;
    }
  }
  return outcomes;
}

async function runGroup(client: pg.PoolClient, group: Writes): Promise<readonly WriteOutcome[]> {
  const outcomes: WriteOutcome[] = [];
  let opening = BEGIN;
  let transaction = 0;
  for (const statements of group) {
    const { opened, outcome } = await runOne(client, opening, statements);
    if (opening === BEGIN) transaction = transactionOf(opened);
    outcomes.push(outcome);
    // The closing of one write travels with the next one. After ROLLBACK TO the savepoint still stands.
    opening =
      outcome.kind === 'done' ? 'RELEASE SAVEPOINT one_write; SAVEPOINT one_write' : 'ROLLBACK TO SAVEPOINT one_write';
  }
  if (outcomes.at(-1)?.kind !== 'done') await client.query('ROLLBACK TO SAVEPOINT one_write');
  const committed = await client.query('COMMIT').catch((error: unknown) => {
    if (!leavesDoubt(error)) throw new StoreError('failed', 'PostgreSQL: refused to commit', { cause: error });
    throw new GroupCutOff(error, [], { transaction, outcomes });
  });
  // COMMIT of a failed transaction is no error: the server answers ROLLBACK.
  if (committed.command !== 'COMMIT') throw new StoreError('failed', 'PostgreSQL: the transaction was rolled back');
  return outcomes;
}

async function runOne(
  client: pg.PoolClient,
  opening: string,
  statements: readonly WriteStatement[],
): Promise<{ readonly opened: unknown; readonly outcome: WriteOutcome }> {
  const queries = boundQueries(statements);
  // A refused value sends nothing but the opening, which the rest of the group relies on.
  const sent: Promise<unknown>[] = [
    client.query(opening),
    ...(queries.kind === 'bound' ? queries.texts.map((one) => client.query(one)) : []),
  ];
  const [opened, ...answers] = await Promise.allSettled(sent);
  if (opened?.status === 'rejected') throw opened.reason;
  return { opened: opened?.value, outcome: queries.kind === 'refused' ? queries : outcomeOf(statements, answers) };
}

function outcomeOf(
  statements: readonly WriteStatement[],
  answers: readonly PromiseSettledResult<unknown>[],
): WriteOutcome {
  const failed = answers.find((answer) => answer.status === 'rejected');
  if (failed !== undefined) {
    if (isConflict(failed.reason)) throw new Conflict();
    return { kind: 'refused', error: postgresqlStoreError(failed.reason) };
  }
  try {
    const results = answers.map((answer) => resultOf((answer as PromiseFulfilledResult<pg.QueryResult>).value));
    return { kind: 'done', results: results.map((result, index) => checked(statements[index], result)) };
  } catch (error) {
    return { kind: 'refused', error: postgresqlStoreError(error) };
  }
}

/** Several statements in one text give several results. */
function transactionOf(opened: unknown): number {
  const row: unknown = Array.isArray(opened) ? (opened[1] as pg.QueryResult).rows[0] : undefined;
  const { transaction } = (row ?? {}) as { readonly transaction?: unknown };
  if (typeof transaction !== 'number')
    throw new StoreError('failed', 'PostgreSQL: began a transaction without its number');
  return transaction;
}

type Bound = { readonly kind: 'bound'; readonly texts: readonly pg.QueryConfig[] };
type Refused = { readonly kind: 'refused'; readonly error: StoreError };

function boundQueries(statements: readonly WriteStatement[]): Bound | Refused {
  try {
    return {
      kind: 'bound',
      texts: statements.map((one) => ({ text: one.sql, values: checkedValues(one.parameters) })),
    };
  } catch (error) {
    return { kind: 'refused', error: postgresqlStoreError(error) };
  }
}

function checked(statement: WriteStatement | undefined, result: WriteResult): WriteResult {
  return statement === undefined ? result : checkExpectedRows(statement, result);
}

function resultOf(result: pg.QueryResult): WriteResult {
  return { affectedRows: result.rowCount ?? 0, rows: result.rows as WriteResult['rows'] };
}
