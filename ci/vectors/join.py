"""Turns the lines of Partitions.java into the fixture's JSON, one vector a line."""

import json
import sys

STRATEGIES = ["hash-codigo-truck", "codigo", "truck-id", "codigo-truck"]
COUNTS = [8, 12, 24, 40]


def vectors(line):
    fields = line.rstrip("\n").split("\t")
    partitions = [int(field) for field in fields[6:]]
    for place, strategy in enumerate(STRATEGIES):
        yield {
            "codigo": int(fields[0]),
            "truck_id": fields[1],
            "strategy": strategy,
            "key": fields[2 + place],
            "partitions": dict(zip(map(str, COUNTS), partitions[4 * place : 4 * place + 4])),
        }


with open(sys.argv[1], encoding="utf-8") as lines:
    rows = [json.dumps(vector) for line in lines for vector in vectors(line)]
made_by = "ci/vectors/make: keys by Python's xxhash, partitions by murmur2 of Kafka's Java client (kafka-clients 4.1.2)"
print('{\n"made_by": %s,\n"vectors": [\n%s\n]\n}' % (json.dumps(made_by), ",\n".join(rows)))
