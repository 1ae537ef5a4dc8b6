// expect: EXIT0
// prints: contained
using System;
using System.Net;
using System.Net.Sockets;

class Program {
    static void Try(string what, Action one) {
        try {
            one();
            Console.WriteLine("reached: " + what);
        } catch (Exception) { }
    }

    static void Main() {
        Try("tcp", () => new TcpClient("127.0.0.1", 22).GetStream().WriteByte(1));
        foreach (AddressFamily family in new[] {AddressFamily.InterNetwork, AddressFamily.InterNetworkV6, AddressFamily.Unix})
            foreach (SocketType type in new[] {SocketType.Stream, SocketType.Dgram})
                Try("socket " + family + type, () => new Socket(family, type, 0));
        Try("server", () => new TcpListener(IPAddress.Loopback, 0).Start());
        Try("udp", () => new UdpClient(0));
        Console.WriteLine("contained");
    }
}
