# expect: RE|EXIT0
threads = []
begin
  10_000.times { threads << Thread.new { sleep } }
rescue ThreadError
  exit 3
end
