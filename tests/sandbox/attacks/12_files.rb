# expect: EXIT0
# prints: contained
# runs: 2
%w[/etc/shadow /etc/passwd /proc/1/environ /root/.bashrc].each do |path|
  puts "reached: #{path}" unless File.read(path, 1).nil?
rescue SystemCallError
  nil
end
%w[/ /usr/ /etc/ /bin/ /dev/ /usr/lib/ruby/vendor_ruby/].push("#{File.dirname(__FILE__)}/").each do |place|
  File.write("#{place}new", 'x')
  puts "reached: wrote #{place}"
rescue SystemCallError
  nil
end
puts 'reached: the run before' if File.exist?('mark')
File.write('mark', 'x')
puts 'contained'
