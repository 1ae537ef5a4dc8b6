# expect: OLE
while :; do yes >&2; done
