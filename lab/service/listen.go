package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// listen opens port 8080; with `backlog` the kernel's queue has that size, with TLS_CERT it speaks TLS.
func listen() net.Listener {
	listener, err := net.Listen("tcp", ":8080")
	if size := int(number("backlog")); size > 0 {
		if err == nil {
			_ = listener.Close()
		}
		listener, err = listenSmall(size)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if os.Getenv("TLS_CERT") != "" {
		return tls.NewListener(door{listener}, &tls.Config{GetConfigForClient: handshake})
	}
	return door{listener}
}

func listenSmall(size int) (net.Listener, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: 8080}); err != nil {
		return nil, err
	}
	if err := syscall.Listen(fd, size); err != nil {
		return nil, err
	}
	return net.FileListener(os.NewFile(uintptr(fd), "door"))
}

// door stops accepting while the switch `no_accept` is on; the kernel goes on to queue what comes.
type door struct{ net.Listener }

func (d door) Accept() (net.Conn, error) {
	for on("no_accept") {
		time.Sleep(100 * time.Millisecond)
	}
	return d.Listener.Accept()
}

// handshake never ends while `tls_stall` is on; `rotated` gives the second certificate, which another authority signed.
func handshake(*tls.ClientHelloInfo) (*tls.Config, error) {
	for on("tls_stall") {
		time.Sleep(100 * time.Millisecond)
	}
	suffix := ""
	if on("rotated") {
		suffix = "2"
	}
	pair, err := tls.X509KeyPair([]byte(os.Getenv("TLS_CERT"+suffix)), []byte(os.Getenv("TLS_KEY"+suffix)))
	return &tls.Config{Certificates: []tls.Certificate{pair}}, err
}
