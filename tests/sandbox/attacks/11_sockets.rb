# expect: EXIT0
# prints: contained
require 'socket'
tries = {
  tcp: -> { TCPSocket.new('127.0.0.1', 22) }, udp: -> { UDPSocket.new }, listens: -> { TCPServer.new(0) },
  unix: -> { UNIXServer.new('/tmp/socket') }, names: -> { Addrinfo.getaddrinfo('example.com', 80) },
  raw: -> { Socket.new(:INET, :RAW) }, packet: -> { Socket.new(17, 3) }
}
tries.each do |name, attempt|
  attempt.call
  puts "reached: #{name}"
rescue SystemCallError, SocketError
  nil
end
puts 'contained'
