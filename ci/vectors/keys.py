"""Writes codigo, truck_id and the key of each strategy, tab-separated, with XXH3-64 from the package xxhash."""

import itertools

import xxhash

CODIGOS = [0, 7, 300, 400, 65535, 4294967295]
TRUCKS = ["A00", "BR04217", "BR00001", "ZZ99999", "0123456789ABCDEF"]

for codigo, truck in itertools.product(CODIGOS, TRUCKS):
    text = f"{codigo}:{truck}"
    digest = xxhash.xxh3_64_hexdigest(text.encode())
    print(codigo, truck, digest, codigo, truck, text, sep="\t")
