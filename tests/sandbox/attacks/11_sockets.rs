// expect: EXIT0
// prints: contained
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

fn main() {
    for to in ["127.0.0.1:22", "1.1.1.1:80", "[::1]:22"] {
        if TcpStream::connect(to).is_ok() {
            println!("reached: {}", to);
        }
    }
    if TcpListener::bind("127.0.0.1:0").is_ok() || UdpSocket::bind("127.0.0.1:0").is_ok() {
        println!("reached: listens");
    }
    if UnixListener::bind("/tmp/socket").is_ok() || UnixStream::connect("/tmp/socket").is_ok() {
        println!("reached: unix socket");
    }
    if UnixDatagram::unbound().is_ok() {
        println!("reached: datagrams");
    }
    if "example.com:80".to_socket_addrs().is_ok() {
        println!("reached: names");
    }
    println!("contained");
}
