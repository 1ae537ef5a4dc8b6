# expect: CPU
# limits: cpu=0.3 wall=3
loop do
  begin
    loop {}
  rescue Exception
    retry
  end
end
