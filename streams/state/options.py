"""RocksDB options of the state: one cache for all partitions, so that memory does not grow with their number.

Derivations: docs/decisions/0022. What multiplies by partition is the write buffer alone.
"""

import functools

import rocksdict

BLOCK_CACHE_BYTES = 64 << 20
WRITE_BUFFER_BYTES = 8 << 20
WRITE_BUFFERS = 2


@functools.cache
def _shared_cache() -> rocksdict.Cache:
    return rocksdict.Cache(BLOCK_CACHE_BYTES)


def options() -> rocksdict.Options:
    """Raw bytes in and out; bloom filters for keys that are absent, index and filters inside the shared cache."""
    chosen = rocksdict.Options(raw_mode=True)
    chosen.create_if_missing(True)
    chosen.set_max_open_files(256)
    chosen.set_write_buffer_size(WRITE_BUFFER_BYTES)
    chosen.set_max_write_buffer_number(WRITE_BUFFERS)
    chosen.set_target_file_size_base(32 << 20)
    chosen.set_level_compaction_dynamic_level_bytes(True)
    chosen.set_max_background_jobs(2)
    chosen.set_keep_log_file_num(2)
    chosen.set_compression_type(rocksdict.DBCompressionType.lz4())
    blocks = rocksdict.BlockBasedOptions()
    blocks.set_bloom_filter(10, block_based=False)
    blocks.set_block_cache(_shared_cache())
    blocks.set_block_size(8192)
    blocks.set_cache_index_and_filter_blocks(True)
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
    chosen.set_block_based_table_factory(blocks)
    return chosen
