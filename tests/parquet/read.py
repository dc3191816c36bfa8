"""Reads a Parquet file with a library that has nothing in common with the one that wrote it, and prints what it found as JSON."""

import json
import sys

import pyarrow.parquet

table = pyarrow.parquet.read_table(sys.argv[1])
table.validate(full=True)
metadata = pyarrow.parquet.read_metadata(sys.argv[1])
print(
    json.dumps(
        {
            "schema": {field.name: str(field.type) for field in table.schema},
            "nullable": [field.name for field in table.schema if field.nullable],
            "row_groups": metadata.num_row_groups,
            "compression": metadata.row_group(0).column(0).compression if metadata.num_row_groups else None,
            "rows": table.to_pylist(),
        },
        default=str,
    )
)
