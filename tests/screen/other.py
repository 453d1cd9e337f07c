#!/usr/bin/env python3
"""Another program, whose connection ends in a reset: a server that closes without having read what
the client sent, again and again (a second apart), until it is ended."""
import socket
import time

listener = socket.create_server(("127.0.0.1", 0))
while True:
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    client.sendall(b"GET / HTTP/1.1\r\nHost: other\r\n\r\n" * 50)
    server.recv(1)
    time.sleep(.3)  # the table of sockets is read each 100 ms: it lives long enough to be seen
    server.close()
    try:
        client.recv(1)
    except ConnectionResetError:
        pass
    client.close()
    time.sleep(.7)
