# expect: MLE
# limits: memory=64M
kept = []
begin
  loop { kept << 'x' * (1 << 20) }
rescue NoMemoryError
  retry
end
