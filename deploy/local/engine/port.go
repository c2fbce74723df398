package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// Port is a loopback port something is going to listen on.
type Port struct {
	Name   string // of what listens, for messages
	Flag   string // that chooses another port
	Number *int   // 0 is replaced by a free one
}

// TakenPortError says that another program listens on the port.
type TakenPortError struct {
	Name   string
	Flag   string
	Number int
}

// Error is one sentence that also says what to do.
func (e *TakenPortError) Error() string {
	return fmt.Sprintf("port %d for %s is already in use: stop the program that uses it or choose another port with %s",
		e.Number, e.Name, e.Flag)
}

// ChoosePorts checks that nobody listens on the ports and replaces zeros by free ones. All are held at the same
// time, so that no two become the same, and given back before it returns.
func ChoosePorts(ctx context.Context, ports ...Port) error {
	var config net.ListenConfig
	for _, port := range ports {
		listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(loopback, strconv.Itoa(*port.Number)))
		if errors.Is(err, syscall.EADDRINUSE) {
			return &TakenPortError{Name: port.Name, Flag: port.Flag, Number: *port.Number}
		}
		if err != nil {
			return fmt.Errorf("port %d for %s cannot be used, choose another one with %s: %w",
				*port.Number, port.Name, port.Flag, err)
		}
		defer func() { _ = listener.Close() }()
		if tcp, ok := listener.Addr().(*net.TCPAddr); ok {
			*port.Number = tcp.Port
		}
	}
	return nil
}
