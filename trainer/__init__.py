"""The trainer. What its libraries keep of memory they do not need is set here, for they read it
when they are loaded."""

import os

# Arrow's own allocator keeps what is freed, where `release_memory` does not reach it.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
# oneDNN compiles a product for every number of rows, half a MiB each; torch and it keep 1,024.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
os.environ.setdefault("LRU_CACHE_CAPACITY", "64")
