# expect: OLE
# limits: output=100K
yes
