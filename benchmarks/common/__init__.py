"""What several benchmarks share; `common.table` comes first, since it sets the threads."""
