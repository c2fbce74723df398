"""Runs each query that comes as a line of JSON on the standard input, and answers each with a line: rows or error."""
import json
import os
import sys

from clickhouse_driver import Client

client = Client(
    host=os.environ["CLICKHOUSE_HOST"],
    port=int(os.environ["CLICKHOUSE_PORT"]),
    user=os.environ["CLICKHOUSE_USER"],
    password=os.environ["CLICKHOUSE_PASSWORD"],
    database="bi",
    settings={"max_execution_time": 60},
)
for line in sys.stdin:
    try:
        print(json.dumps({"rows": len(client.execute(json.loads(line)))}))
    except Exception as error:  # whatever the server or the driver has against it
        print(json.dumps({"error": str(getattr(error, "code", error))}))
