// Runs each query that comes as a line of JSON on the standard input, and answers each with a line: rows or error.
import { createClient } from '@clickhouse/client';
import { createInterface } from 'node:readline';

const client = createClient({
  url: process.env.CLICKHOUSE_URL,
  username: process.env.CLICKHOUSE_USER,
  password: process.env.CLICKHOUSE_PASSWORD,
  database: 'bi',
  // The one setting that may be set; tools send it.
  clickhouse_settings: { max_execution_time: 60 },
});
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const result = await client.query({ query: JSON.parse(line), format: 'JSONEachRow' });
    console.log(JSON.stringify({ rows: (await result.json()).length }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.code ?? error.message) }));
  }
}
await client.close();
