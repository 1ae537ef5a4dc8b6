# 192 MiB from one, to disk and to memory.
# expect: MLE|EXIT0
# prints: contained
# limits: memory=96M cpu=4 wall=8
import os
import zlib

packer = zlib.compressobj(1)
bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(192)) + packer.flush()
unpacker = zlib.decompressobj()
try:
    with open("/tmp/unpacked", "wb") as f:
        data = unpacker.decompress(bomb, 1 << 20)
        while data:
            f.write(data)
            data = unpacker.decompress(unpacker.unconsumed_tail, 1 << 20)
    print("reached: unpacked", os.path.getsize("/tmp/unpacked"))
except OSError:
    pass
zlib.decompress(bomb)
print("reached: unpacked in memory")
