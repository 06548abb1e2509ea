"""The floor: one process that reads the events' topics and decodes each event, and does nothing else.

`python -m deploy.bench.floor BOOTSTRAP COUNT TOPIC…` prints one JSON object. It takes fastavro, as everybody's reader
would, so that the ratio does not move with our own decoder.
"""

import io
import json
import sys
import time

import fastavro
from confluent_kafka import Consumer

from schemas.records import CHANNEL_EVENT
from schemas.wire import HEAD_BYTES
from streams.connections import kafka_config

WAIT_S_MAX = 60.0


def measure(bootstrap: str, count: int, topics: list[str]) -> dict[str, float]:
    """Read and decode `count` records: CPU of the process in µs an event, and events a second."""
    schema, read = CHANNEL_EVENT.parsed, fastavro.schemaless_reader
    consumer = Consumer({
        **kafka_config(bootstrap), "group.id": "bench-floor", "auto.offset.reset": "earliest",
        "enable.auto.commit": False, "log_level": 3,
    })
    consumer.subscribe(topics)
    found = consumer.consume(1, WAIT_S_MAX)  # joining the group is not part of it
    assert found, f"expected {count} events, none came in {WAIT_S_MAX:.0f} s"
    done, size = 1, 0
    started, cpu = time.perf_counter(), time.process_time()
    while done < count:
        records = consumer.consume(min(1000, count - done), WAIT_S_MAX)
        assert records, f"expected {count} events, only {done} came"
        for record in records:
            value = record.value()
            size += len(value)
            stream = io.BytesIO(value)
            stream.seek(HEAD_BYTES)
            read(stream, schema, None)
        done += len(records)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    consumer.close()
    return {"cpu_us": cpu / (done - 1) * 1e6, "events_s": (done - 1) / seconds, "bytes_mean": size / (done - 1)}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), sys.argv[3:])))
