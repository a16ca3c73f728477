// Runs DuckDB on two threads for gonghui_bench: a line with SQL comes in, a line "seconds value…" goes out, with the
// first row of the result.
import {createInterface} from 'node:readline';
import {DuckDBInstance} from '@duckdb/node-api';

const instance = await DuckDBInstance.create(':memory:', {threads: '2'});
const connection = await instance.connect();
for await (const sql of createInterface({input: process.stdin})) {
  const start = process.hrtime.bigint();
  const result = await connection.runAndReadAll(sql);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  console.log([seconds, ...(result.getRows()[0] ?? [])].join(' '));
}
