# expect: OLE
loop { puts 'x' * 1000 }
