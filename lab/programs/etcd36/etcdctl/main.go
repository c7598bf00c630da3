// Command etcdctl is the client of the pinned module, as its release builds it.
package main

import "go.etcd.io/etcd/etcdctl/v3/ctlv3"

func main() { ctlv3.MustStart() }
