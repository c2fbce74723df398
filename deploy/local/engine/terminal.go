package engine

import (
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// useTerminal puts a terminal nobody types at in the place of the standard input.
//
// Without one the library takes itself for a batch job and ends the whole process when a connection breaks,
// so that a client killed in the middle of an answer would take the server down
// (ClickHouse issue 115666, mended after this version).
//
// With a terminal it asks for more after its queries; an endOfInput written to the returned keyboard ends that.
func useTerminal() (keyboard *os.File, err error) {
	keyboard, terminal, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("open a terminal for ClickHouse: %w", err)
	}
	// What is written to the terminal is read here, or its buffer would fill up and block the server.
	go func() { _, _ = io.Copy(io.Discard, keyboard) }()
	if err := unix.Dup2(int(terminal.Fd()), syscall.Stdin); err != nil {
		return nil, fmt.Errorf("give ClickHouse a terminal: %w", err)
	}
	return keyboard, terminal.Close()
}

// endOfInput is Ctrl-D.
const endOfInput = "\x04"

// keepStandardInput gives the pipe from the parent another number than 0, where useTerminal wants to be.
func keepStandardInput() (*os.File, error) {
	kept, err := unix.FcntlInt(uintptr(syscall.Stdin), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("keep the pipe from the parent: %w", err)
	}
	return os.NewFile(uintptr(kept), "parent"), nil
}
